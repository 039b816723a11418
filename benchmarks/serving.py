"""The speed of the classifier and the app, compared with rivals and an empty app; writes results/serving.json.

    python benchmarks/serving.py
    python benchmarks/serving.py --quick OUT.json   # a few turns, to see that it works

All rivals take turns in one process, on one thread unless it says otherwise, so that other work on the machine slows
them alike: ratios are the result. Texts are made by a seeded draw of words.
"""

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS"):  # before torch, NumPy and tokenizers are loaded
    os.environ[name] = "1"

REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(REPOSITORY))

import numpy as np  # noqa: E402, the script runs from anywhere
import torch  # noqa: E402

from benchmarks.cells.speed import take_turns  # noqa: E402
from benchmarks.speed.rivals import Rivals, operations  # noqa: E402
from benchmarks.speed.starting import measure_pages, measure_starts  # noqa: E402
from benchmarks.speed.texts import make_texts  # noqa: E402
from benchmarks.speed.throughput import combine, measure_in_process  # noqa: E402

RESULT = REPOSITORY / "benchmarks" / "results" / "serving.json"
TOKENS, BATCH, BATCH_TOKENS = (20, 250, 1_000), 64, 250


def main() -> None:
    """Measure everything and write the result file."""
    parser = argparse.ArgumentParser(description="Measure the speed of the classifier and of the app.")
    parser.add_argument("--quick", type=Path, metavar="OUT", help="few turns, into a file of your own")
    quick = parser.parse_args().quick
    load = os.getloadavg()[0]
    rivals = Rivals(training_texts=100 if quick else 2_000)
    result = {
        "script": "python benchmarks/serving.py",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "threads": 1,
        "torch": torch.__version__,
        "texts": "words drawn from the vocabulary of the model by Zipf's law, one token each",
        "distilbert": "its sizes with random weights, on as many random token ids, which it need not tokenize",
        "megaflop_250_tokens": round(operations(rivals.gru.config, 250) / 1e6, 1),
        "one_text": {str(tokens): measure_single(rivals, tokens, 2 if quick else 30) for tokens in TOKENS},
        "batch": measure_batch(rivals, 4 if quick else BATCH, 1 if quick else 5),
        "throughput": combine(
            {
                threads: measure_in_process(threads, *((200, 300) if quick else (3_000, 20_000)))
                for threads in sorted({1, os.cpu_count() or 1})
            }
        ),
        "start": rounded(measure_starts(1 if quick else 5)),
        "first_page_seconds": rounded(measure_pages(2 if quick else 15)),
    }
    result["load"] = [round(load, 1), round(os.getloadavg()[0], 1)]
    path = quick or RESULT
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(path.read_text(encoding="utf-8"))


def measure_single(rivals: Rivals, tokens: int, turns: int) -> dict[str, Any]:
    """Return the milliseconds of one text for each rival, and how many times the GRU's they are."""
    times = take_turns(rivals.calls(make_texts(1, tokens), tokens), turns)
    found = {name: {"p50": quantile(found, 0.5), "p95": quantile(found, 0.95)} for name, found in times.items()}
    return {"turns": turns, "milliseconds": found, "times_the_gru": ratios(times)}


def measure_batch(rivals: Rivals, size: int, turns: int) -> dict[str, Any]:
    """Return the texts per second of each rival in one batch, and the share of the machine's bound that is reached."""
    times = take_turns(rivals.calls(make_texts(size, BATCH_TOKENS), BATCH_TOKENS), turns)
    medians = {name: float(np.median(found)) for name, found in times.items()}
    work = size * operations(rivals.gru.config, BATCH_TOKENS)
    return {
        "turns": turns,
        "texts": size,
        "tokens": BATCH_TOKENS,
        "texts_per_second": {name: round(1000 * size / median, 1) for name, median in medians.items()},
        "times_the_gru": ratios(times),
        "gigaflop_per_second": round(work / medians["matrix_products"] / 1e6, 1),
        "share_of_the_bound": round(medians["matrix_products"] / medians["gru"], 3),
        "share_of_the_bound_without_tokenizing": round(
            medians["matrix_products"] / medians["gru_without_tokenizing"], 3
        ),
    }


def ratios(times: dict[str, list[float]]) -> dict[str, float]:
    """Return how many times the time of the GRU each rival takes: the median over turns."""
    own = np.array(times["gru"])
    return {name: float(f"{np.median(np.array(found) / own):.3g}") for name, found in times.items() if name != "gru"}


def quantile(times: list[float], share: float) -> float:
    """Return a quantile, to three digits."""
    return float(f"{np.quantile(times, share):.3g}")


def rounded(measured: dict[str, Any]) -> dict[str, Any]:
    """Return the median in place of each list of measurements."""
    return {
        name: round(float(np.median(found)), 2) if isinstance(found, list) else found
        for name, found in measured.items()
    }


if __name__ == "__main__":
    main()
