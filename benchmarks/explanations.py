"""Check on real reviews that explanations are true, that their order matters, and how long they take.

    OMP_NUM_THREADS=1 python benchmarks/explanations.py     # about ten minutes

Reads the test reviews of IMDB (no labels) beside the checkout, or `--dataset`; writes
benchmarks/results/explanations.json. The model is the shipped checkpoint, or `--model`. One thread, as in the app.
"""

import argparse
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import load_dataset
from tqdm import tqdm

REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(REPOSITORY))

from sentiment_gru import Explanation, SentimentClassifier  # noqa: E402
from sentiment_gru.explanation import METHODS  # noqa: E402

RESULTS = REPOSITORY / "benchmarks" / "results" / "explanations.json"
IMDB = REPOSITORY.parent / "shared" / "data" / "imdb"
SEED = 0
RESAMPLES = 10_000
TIMED_TOKENS = 250
REPEATS = 5


def main() -> None:
    """Explain the reviews, print the figures and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="checkpoint folder or Hub id; by default the shipped one")
    parser.add_argument("--dataset", default=str(IMDB) if IMDB.is_dir() else "stanfordnlp/imdb")
    parser.add_argument("--reviews", type=int, default=200)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    classifier = SentimentClassifier.from_pretrained(options.model)
    texts = draw(options.dataset, options.reviews)
    figures = {
        "reviews": len(texts),
        "seed": SEED,
        "dataset": "imdb test",
        "model": {name: getattr(classifier.config, name) for name in ("cell", "bidirectional", "hidden_size")},
        **summary([classifier.explain(text) for text in tqdm(texts, "reviews")]),
        "seconds": {"tokens": TIMED_TOKENS, "repeats": REPEATS, **timings(classifier, texts)},
        "processor": f"{platform.machine()}, 1 thread, torch {torch.__version__}",
    }
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


def draw(dataset: str, count: int) -> list[str]:
    """Return test reviews drawn with a seed."""
    texts = load_dataset(dataset, split="test")["text"]
    chosen = np.random.default_rng(SEED).choice(len(texts), size=count, replace=False)
    return [texts[int(index)] for index in chosen]


def summary(explanations: list[Explanation]) -> dict[str, Any]:
    """Return the largest errors, the completeness gaps, and what each method's order gains over random ones."""
    proofs = {name: np.array([e.proofs[name] for e in explanations]) for name in explanations[0].proofs}
    gap = proofs["completeness_gap"]
    return {
        "tokens_median": float(np.median([len(e.tokens) for e in explanations])),
        **{name: float(proofs[name].max()) for name in ("hidden_state_error", "telescoping_error") if name in proofs},
        "completeness_gap": {
            "median": float(np.median(gap)),
            "quantile_90": float(np.quantile(gap, 0.9)),
            "largest": float(gap.max()),
            "steps_median": float(np.median([e.gradient_steps for e in explanations])),
        },
        "deletion_gain": {method: interval(proofs[f"deletion_gain_{method}"]) for method in METHODS},
        "share_read_with_stride": float(np.mean([e.strides["running"] > 1 for e in explanations])),
    }


def interval(values: np.ndarray) -> dict[str, float]:
    """Return the mean in logits with its 95% bootstrap interval over reviews, and the share of reviews above 0."""
    draws = np.random.default_rng(SEED).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return {"mean": float(values.mean()), "low": float(low), "high": float(high), "better": float((values > 0).mean())}


def timings(classifier: SentimentClassifier, texts: list[str]) -> dict[str, Any]:
    """Return median seconds to explain the start of a long review, with no, each and all methods."""
    long = next(text for text in texts if len(classifier.read(text).tokens) >= TIMED_TOKENS)
    text = long[: classifier.read(long).tokens[TIMED_TOKENS - 1].end]
    sets = {"gates_and_running": (), "all_methods": METHODS, **{method: (method,) for method in METHODS}}
    return {name: seconds(classifier, text, methods) for name, methods in sets.items()}


def seconds(classifier: SentimentClassifier, text: str, methods: tuple[str, ...]) -> float:
    """Return the median time of several runs."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        classifier.explain(text, methods=methods)
        times.append(time.perf_counter() - start)
    return round(float(np.median(times)), 3)


if __name__ == "__main__":
    main()
