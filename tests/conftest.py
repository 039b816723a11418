"""Shared fixtures: a tiny dataset made in memory, and one tiny model trained on it once per run."""

import gc
import itertools
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from sentiment_gru import SentimentClassifier
from sentiment_gru.training.options import TrainingOptions
from sentiment_gru.training.run import train

# `make test` repeats the same examples in every run; `make fuzz` loads the profile "explore" and searches new ones.
# No test depends on time: on a busy machine anything may take long.
ANY_TIME = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", ANY_TIME, derandomize=True, max_examples=50)
settings.register_profile("explore", ANY_TIME, max_examples=1000)
settings.load_profile("repeatable")

REPOSITORY = Path(__file__).parent.parent
REAL_DATA = REPOSITORY.parent / "shared" / "data"
LONGEST = ("browser", "integration", "unit/training", "unit/distillation")

WORDS = {
    "negative": ["awful", "dull", "terrible", "weak"],
    "neutral": ["long", "short", "foreign", "recent"],
    "positive": ["great", "lovely", "superb", "warm"],
}
THINGS = ["film", "story", "song", "book", "cast", "play", "show", "scene"]
FRAMES = ["the {} is {} .", "it isn't a {} that is {} , or is it ?", "a {} so {} ! 😀", "this {} was {}"]


def made_up_texts() -> list[dict[str, str]]:
    """Return 384 different labelled texts."""
    return [
        {"text": frame.format(thing, word), "label": label}
        for frame, thing in itertools.product(FRAMES, THINGS)
        for label, words in WORDS.items()
        for word in words
    ]


def write_dataset(folder: Path, **splits: list[dict[str, object]]) -> Path:
    """Write a dataset in Hub layout, one JSON-lines file a split."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in splits.items():
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return folder


def tiny_options(dataset: Path, output: Path, **changes: object) -> TrainingOptions:
    """Return options of a training that takes a second; plots would take half as much again."""
    settings: dict[str, object] = {
        "epochs": 8,
        "batch_size": 16,
        "learning_rate": 1e-2,
        "ema_decay": 0.9,
        "embedding_size": 8,
        "hidden_size": 8,
        "embedding_dropout": 0.1,
        "output_dropout": 0.1,
        "report": False,
    }
    return TrainingOptions(output_dir=str(output), dataset=[str(dataset)], **(settings | changes))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the folders that take longest come first, so that the workers end at about the same time."""

    def place(item: pytest.Item) -> int:
        folders = [number for number, name in enumerate(LONGEST) if item.nodeid.startswith(f"tests/{name}/")]
        return folders[0] if folders else len(LONGEST)

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Leave what all test modules have imported out of garbage collections: every training demands a full one."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = made_up_texts()
    return write_dataset(tmp_path_factory.mktemp("data") / "tiny", train=texts[:288], test=texts[288:])


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    train(tiny_options(tiny_dataset, folder, evaluate_test=True, report=True))
    return folder


@pytest.fixture(scope="session")
def classifier(tiny_checkpoint: Path) -> SentimentClassifier:
    return SentimentClassifier.from_pretrained(tiny_checkpoint)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of the real datasets, which are not part of the repository."""
    if not REAL_DATA.is_dir():
        if os.environ.get("REQUIRE_ALL"):
            pytest.fail(f"REQUIRE_ALL is set, but there is no {REAL_DATA}")
        pytest.skip("the real datasets are not beside the checkout")
    return REAL_DATA
