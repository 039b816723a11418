"""The table of small datasets shows means over seeds with their interval, and a dash for what was not run."""

import pytest

from benchmarks.small_data import describe, make_table


def run_of(name: str, seed: int, start: str, accuracy: float) -> dict[str, object]:
    return {
        "set": name,
        "rows": 1_000,
        "seed": seed,
        "start": start,
        "accuracy": accuracy,
        "baseline": 0.7 + seed / 100,
        "seconds": 10.0 + 10 * seed,
    }


def test_a_row_has_the_mean_of_each_start_and_of_the_baseline() -> None:
    runs = [run_of("trec", seed, "pretrained", 0.8 + seed / 100) for seed in (0, 1, 2)]
    runs += [run_of("trec", 0, "scratch", 0.75), run_of("sst2", 0, "scratch", 0.6)]
    _, _, *rows = make_table(runs).splitlines()
    assert rows == [
        "| trec | 1,000 | 81.0 ± 2.5 | 75.0 | 71.0 ± 2.5 | 18 | 3 |",
        "| sst2 | 1,000 | – | 60.0 | 70.0 | 10 | 1 |",
    ]


def test_the_interval_is_students_t() -> None:
    assert describe([0.5, 0.7]) == f"60.0 ± {100 * 12.706 * 0.1:.1f}"
    assert describe([0.5]) == "50.0"


@pytest.mark.parametrize("values", [[0.1234], [0.12341, 0.12341]])
def test_percentages_have_one_decimal(values: list[float]) -> None:
    assert describe(values).startswith("12.3")
