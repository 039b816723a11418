"""The sentence on Ray names the engine, the workers and the machine, or says that there are no figures."""

import json
from pathlib import Path

from benchmarks.readme import workers_sentence


def test_the_sentence_has_the_figures_and_the_load_of_the_machine(tmp_path: Path) -> None:
    runs = [
        {"engine": "local", "workers": 1, "rows_per_second": 1_000},
        {"engine": "ray", "workers": 1, "rows_per_second": 900},
        {"engine": "ray", "workers": 2, "rows_per_second": 1_700},
    ]
    figures = {
        "rows": 80_000,
        "words_per_row": 50,
        "machine": "x86_64",
        "cores": 2,
        "load": [0.1, 2.0],
        "date": "2026-12-01",
    }
    path = tmp_path / "ray.json"
    path.write_text(json.dumps(figures | {"runs": runs}))
    assert workers_sentence(str(path)) == (
        "Rows of 50 words a second, start of the workers included: 1,000 with this process alone, 900 with Ray and 1"
        " worker, 1,700 with Ray and 2 workers. Measured on 80,000 rows, x86_64, 2 cores, load 0.1 before, 2026-12-01,"
        " by `benchmarks/ray_workers.py`."
    )


def test_missing_figures_are_stated(tmp_path: Path) -> None:
    assert "have not been measured yet" in workers_sentence(str(tmp_path / "ray.json"))
