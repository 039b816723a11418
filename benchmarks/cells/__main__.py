"""RNN, LSTM and GRU on the same data: accuracy and cost, speed, vanishing gradients, delayed recall.

    OMP_NUM_THREADS=1 python -m benchmarks.cells [--imdb IMDB] [train | RUN | speed | gradients | recall ...]

Without a part all four are made in this order. RUN is one training, such as gru-0 or lstm-matched-2. What is there is
not made again, a killed training goes on, and the same command in a second shell shares the trainings. Results are
written to sentiment_gru/web/inside/results, checkpoints to out/cells.
"""

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import torch

from .results import REPOSITORY, RESULTS, WORK, claim
from .runs import all_runs

PARTS = ("train", "speed", "gradients", "recall")
IMDB = REPOSITORY.parent / "shared" / "data" / "imdb"


def main() -> int:
    """Make the parts and runs that are named, and say how long each took."""
    known = (*PARTS, *all_runs())
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cells", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(known)}; by default every part")
    parser.add_argument("--imdb", default=str(IMDB) if IMDB.is_dir() else "stanfordnlp/imdb")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(known):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    torch.set_num_threads(1)
    for part in options.parts or PARTS:
        started = time.perf_counter()
        make(part, options.imdb)
        print(f"{part}: {(time.perf_counter() - started) / 60:.1f} minutes", flush=True)
    return 0


def make(part: str, imdb: str) -> None:
    """Make one part or one run; their modules take seconds to import."""
    if part == "speed":
        from .speed import measure_speed

        measure_speed(RESULTS / "cell_speed.json")
    elif part == "gradients":
        from .gradients import measure_gradients

        for run in measure_gradients(imdb, RESULTS / "cell_gradients.json"):
            result = (RESULTS / "cells" / f"{run}.json").relative_to(REPOSITORY)
            print(f"gradients: no checkpoint out/cells/{run}; to train it, remove {result}")
    elif part == "recall":
        from .recall import measure_recall

        measure_recall(RESULTS / "recall.json")
    else:
        make_runs(all_runs() if part == "train" else [part], imdb)


def make_runs(names: Iterable[str], imdb: str, results: Path = RESULTS, work: Path = WORK) -> None:
    """Make the trainings that are neither there nor being made by another process."""
    from .training import train_run

    runs = all_runs()
    for name in names:
        with claim(work / f"{name}.lock") as ours:
            if not ours:
                print(f"{name}: another process is at it", flush=True)
            elif train_run(name, *runs[name], imdb, results / "cells" / f"{name}.json", work):
                print(f"{name}: trained", flush=True)
            else:
                print(f"{name}: is there", flush=True)


if __name__ == "__main__":
    sys.exit(main())
