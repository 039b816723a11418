"""Score blocks on a Ray cluster, with one classifier in each actor."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from ..errors import FileError, check_extra
from .folders import Block, BlockResult, BlockScorer, FolderJob

check_extra("Scoring on Ray", "ray", "ray", "pandas")


class RayScorer:
    """A scorer that Ray keeps in an actor; blocks and results travel as JSON."""

    def __init__(self, job: FolderJob) -> None:
        """Load the classifier."""
        self.scorer = BlockScorer(job)

    def __call__(self, batch: dict[str, list[str]]) -> dict[str, list[str]]:
        """Score a batch of blocks."""
        results = [self.scorer(Block(**json.loads(str(text)))) for text in batch["block"]]
        return {"result": [json.dumps(asdict(result)) for result in results]}


def score_on_ray(
    job: FolderJob, blocks: Sequence[Block], workers: int | None = None, address: str | None = None
) -> Iterator[BlockResult]:
    """Score blocks in actors of Ray Data, which restarts an actor that dies and gives its block to it or to another.

    Args:
        job: The folders and the model; every node must reach them.
        blocks: Blocks to score.
        workers: Number of actors at most, each on one core; by default all cores of the cluster.
        address: Address of a cluster; by default that of RAY_ADDRESS, or a new cluster on this machine.

    Raises:
        FileError: The cluster cannot be reached.
    """
    import ray
    import ray.data

    # Without "local", Ray would wait minutes for a cluster of this machine whose process was killed.
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    if not ray.is_initialized():
        try:
            ray.init(address=address, include_dashboard=False, log_to_driver=False)
        except ConnectionError as error:
            raise FileError(f"the Ray cluster {address} cannot be reached: {error}") from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    cores = int(ray.cluster_resources().get("CPU", 1))
    rows = [{"block": json.dumps(asdict(block))} for block in blocks]
    scored = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        RayScorer,
        fn_constructor_args=(job,),
        batch_size=1,
        num_cpus=1,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=max(1, min(workers or cores, len(rows)))),
    )
    for row in scored.iter_rows():
        result = json.loads(row["result"])
        yield BlockResult(**(result | {"block": Block(**result["block"])}))
