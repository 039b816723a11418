"""The loader behind the page: the classifier is loaded once, and the model card is safe to show."""

import asyncio
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sentiment_gru import CheckpointError, SentimentClassifier
from sentiment_gru.web.model_loader import ClassifierLoader


def test_the_loader_answers_like_the_classifier(tiny_checkpoint: Path, classifier: SentimentClassifier) -> None:
    loader = ClassifierLoader(tiny_checkpoint)
    asyncio.run(loader.ready())
    assert loader(["a lovely film"]) == classifier(["a lovely film"])


def test_every_call_raises_the_error_of_loading(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "late")
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"hidden_size": 8', '"hidden_size": 9'))
    loader = ClassifierLoader(folder)
    asyncio.run(loader.ready())
    for _ in range(2):
        with pytest.raises(CheckpointError, match="has shape"):
            loader(["a film"])


def test_the_card_comes_without_its_front_matter(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "card")
    loader = ClassifierLoader(folder)
    card = folder / "README.md"
    card.write_text("---\nlicense: mit\n---\n\n# Card\n\n---\n\nEnd\n")
    assert loader.card() == "# Card\n\n---\n\nEnd"
    card.write_text("# Card\n![A plot](https://example.org/plot.png)\n")
    assert loader.card() == "# Card\n*A plot*"
    (folder / "plot.png").write_bytes(b"png")
    (tmp_path / "outside.png").write_bytes(b"secret")
    card.write_text("![A plot](plot.png)\n![Other](../outside.png)\n![None](none.png)\n![Weights](config.json)")
    assert loader.card() == "![A plot](data:image/png;base64,cG5n)\n*Other*\n*None*\n*Weights*"
    card.unlink()
    assert loader.card() == ""


def test_explanations_of_all_threads_are_computed_in_one_and_errors_reach_the_caller(tiny_checkpoint: Path) -> None:
    loader = ClassifierLoader(tiny_checkpoint)
    names = [threading.current_thread().name]
    with ThreadPoolExecutor(4) as threads:
        names += threads.map(lambda _: loader.explaining(lambda: threading.current_thread().name), range(8))
    assert len(set(names[1:])) == 1
    assert names[0] not in names[1:]
    with pytest.raises(ZeroDivisionError):
        loader.explaining(lambda: 1 // 0)
    assert loader.explaining(lambda: 2) == 2
