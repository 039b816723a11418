"""The table of small datasets shows means over seeds with their interval, and a dash for what was not run."""

from pathlib import Path

import pytest

from benchmarks.small_data import (
    describe,
    describe_missing,
    make_table,
    read_runs,
    shipped_checkpoint,
    wanted_runs,
    write_runs,
)


def run_of(name: str, seed: int, start: str, accuracy: float) -> dict[str, object]:
    return {
        "set": name,
        "rows": 1_000,
        "seed": seed,
        "start": start,
        "checkpoint": shipped_checkpoint() if start == "pretrained" else None,
        "accuracy": accuracy,
        "baseline": 0.7 + seed / 100,
        "cpu_seconds": 10.0 + 10 * seed,
    }


def test_a_row_has_the_mean_of_each_start_and_of_the_baseline() -> None:
    runs = [run_of("trec", seed, "pretrained", 0.8 + seed / 100) for seed in (0, 1, 2)]
    runs += [run_of("trec", 0, "scratch", 0.75), run_of("sst2", 0, "scratch", 0.6)]
    _, _, *rows = make_table(runs).splitlines()
    assert rows == [
        "| trec | 1,000 | 81.0 ± 2.5 | 75.0 | 71.0 ± 2.5 | 18 | 3 |",
        "| sst2 | 1,000 | – | 60.0 | 70.0 | 10 | 1 |",
    ]


def test_what_was_not_measured_is_named() -> None:
    runs = [dict(zip(("set", "rows", "seed", "start"), run, strict=True)) for run in wanted_runs()]
    assert describe_missing(runs) == ""
    kept = [run for run in runs if run["set"] != "imdb" and not (run["set"] == "trec" and run["rows"] > 200)]
    kept.remove({"set": "sst2", "rows": 200, "seed": 2, "start": "scratch"})
    expected = "Not measured yet, wholly or with some seeds: trec (1,000, 2,000 rows), sst2 (200 rows), imdb."
    assert describe_missing(kept) == expected


def test_finished_runs_are_kept_in_order(tmp_path: Path) -> None:
    path = tmp_path / "runs.json"
    assert read_runs(path) == []
    write_runs(
        path, [run_of("sst2", 0, "scratch", 0.6), run_of("trec", 1, "scratch", 0.7), run_of("trec", 0, "scratch", 0.8)]
    )
    assert [(run["set"], run["seed"]) for run in read_runs(path)] == [("trec", 0), ("trec", 1), ("sst2", 0)]
    assert [entry.name for entry in tmp_path.iterdir()] == ["runs.json"]


def test_runs_from_an_earlier_checkpoint_do_not_count(tmp_path: Path) -> None:
    old = run_of("trec", 0, "pretrained", 0.9) | {"checkpoint": "0123456789ab"}
    runs = [run_of("trec", 1, "pretrained", 0.8), old, run_of("trec", 0, "scratch", 0.7)]
    write_runs(tmp_path / "runs.json", runs)
    assert [run["accuracy"] for run in read_runs(tmp_path / "runs.json")] == [0.7, 0.8]


def test_the_interval_is_students_t() -> None:
    assert describe([0.5, 0.7]) == f"60.0 ± {100 * 12.706 * 0.1:.1f}"
    assert describe([0.5]) == "50.0"


@pytest.mark.parametrize("values", [[0.1234], [0.12341, 0.12341]])
def test_percentages_have_one_decimal(values: list[float]) -> None:
    assert describe(values).startswith("12.3")
