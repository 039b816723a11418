"""A scored file equals one-at-a-time scoring, stops when it is told to, and appears whole or not at all."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from sentiment_gru import FileError, Prediction, SentimentClassifier
from sentiment_gru.files.formats import read_table
from sentiment_gru.files.job import CHUNK_ROWS, DECIMALS, Progress, result_names, score_table
from sentiment_gru.files.summary import BINS, LEAST_CERTAIN, Report
from sentiment_gru.results import MAX_CHARACTERS
from tests.conftest import made_up_texts
from tests.tables import write_csv, write_table

RESULTS = ["label", "score_negative", "score_neutral", "score_positive"]
RESULTS += ["uncertain", "tokens", "unknown", "truncated", "error"]


class Counting:
    """A classifier that counts the texts it has scored, and can fail at one of them."""

    def __init__(self, classifier: SentimentClassifier, fail_at: int | None = None) -> None:
        self.classifier = classifier
        self.scored = 0
        self.fail_at = fail_at

    def __call__(self, texts: Sequence[str]) -> list[Prediction]:
        """Classify."""
        self.scored += len(texts)
        if self.fail_at is not None and self.scored > self.fail_at:
            raise RuntimeError("the machine is on fire")
        return self.classifier(texts)


def score(classify: object, source: Path, output: Path, text: str = "text", **options: object) -> Report:
    *_, last = score_table(classify, read_table(source), text, output, **options)
    assert last.report is not None
    return last.report


def rows_of(path: Path) -> list[dict[str, object]]:
    table = read_table(path)
    return [dict(zip(table.columns, row.cells, strict=True)) for row in table.content.read()]


def many(path: Path, rows: int = 1_000) -> Path:
    drawn = made_up_texts()
    return write_csv(path, [["id", "text"], *[[i, drawn[i % len(drawn)]["text"]] for i in range(rows)]])


@pytest.mark.parametrize("source", [".csv", ".tsv", ".xlsx", ".jsonl", ".parquet", ".txt"])
@pytest.mark.parametrize("target", [".csv", ".tsv", ".xlsx", ".jsonl", ".parquet"])
def test_every_format_into_every_other_equals_one_text_at_a_time(
    classifier: SentimentClassifier, tmp_path: Path, source: str, target: str
) -> None:
    texts = [row["text"] for row in made_up_texts()[::25]]
    path = write_table(tmp_path / f"in{source}", [["text", "id"], *[[text, f"n{i}"] for i, text in enumerate(texts)]])
    score(classifier, path, tmp_path / f"out{target}")
    rows = rows_of(tmp_path / f"out{target}")
    assert list(rows[0]) == [*(["text"] if source == ".txt" else ["text", "id"]), *RESULTS]
    for row, text in zip(rows, texts, strict=True):
        (alone,) = classifier([text])
        assert row["text"] == text
        assert row["label"] == alone.label
        assert [float(str(row[f"score_{label}"])) for label in alone.scores] == pytest.approx(
            [*alone.scores.values()], abs=2 * 10**-DECIMALS
        )
        assert str(row["uncertain"]).lower() == str(alone.uncertain).lower()
        assert [int(str(row[name])) for name in ("tokens", "unknown", "truncated")] == [
            alone.tokens,
            alone.unknown_tokens,
            alone.truncated_tokens,
        ]
        assert not row["error"]


def test_columns_of_the_file_keep_their_names_and_the_added_ones_give_way(tmp_path: Path) -> None:
    assert result_names(["text", "Label", "model_label"], ["label", "error"]) == ["model_label_2", "error"]


def test_a_bad_row_gets_a_status_and_stops_nothing(classifier: SentimentClassifier, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(
        '{"text": "a great film"}\n{"text": ""}\n{"other": 1}\nnonsense\n'
        '{"text": ["a"]}\n{"text": true}\n{"text": 7.5}\n'
        f'{{"text": "{"x" * (MAX_CHARACTERS + 1)}"}}\n{{"text": "awful"}}\n'
    )
    report = score(classifier, path, tmp_path / "out.jsonl")
    errors = [row["error"] for row in rows_of(tmp_path / "out.jsonl")]
    assert errors == [
        None,
        "no text",
        "no text",
        "not a JSON object",
        "not a text, but of type list",
        "not a text, but of type bool",
        None,
        "too long: 200,001 characters; up to 200,000 are read",
        None,
    ]
    assert (report.rows, report.scored) == (9, 3)
    assert report.errors["too long"] == 1
    assert sum(report.errors.values()) == 6


def test_ten_megabytes_in_one_cell_and_an_uncomputed_formula_are_statuses(
    classifier: SentimentClassifier, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "in.csv", [["id", "text"], ["a", "x" * 10_000_000], ["b", "a great film"]])
    score(classifier, path, tmp_path / "out.csv")
    assert [bool(row["error"]) for row in rows_of(tmp_path / "out.csv")] == [True, False]
    path = write_table(tmp_path / "in.xlsx", [["id", "text"], ["a", "great"]])
    workbook = openpyxl.load_workbook(path)
    workbook.active["B2"] = '="gre" & "at"'
    workbook.save(path)
    score(classifier, path, tmp_path / "out.xlsx")
    (row,) = rows_of(tmp_path / "out.xlsx")
    assert "never computed" in str(row["error"])


def test_progress_tells_speed_and_time_left(classifier: SentimentClassifier, tmp_path: Path) -> None:
    table = read_table(many(tmp_path / "in.csv", CHUNK_ROWS + 1))
    steps = list(score_table(classifier, table, "text", tmp_path / "out.csv"))
    assert [step.rows for step in steps] == [0, CHUNK_ROWS, CHUNK_ROWS + 1, CHUNK_ROWS + 1]
    assert [step.report is None for step in steps] == [True] * 3 + [False]
    assert steps[0].seconds_left is None
    assert Progress(250, 1_000, 0.5).rows_per_second == 500
    assert Progress(250, 1_000, 0.5).seconds_left == 1.5


def test_closing_stops_the_scoring_and_leaves_nothing(classifier: SentimentClassifier, tmp_path: Path) -> None:
    counting = Counting(classifier)
    source = many(tmp_path / "in.csv", 3 * CHUNK_ROWS)
    run = score_table(counting, read_table(source), "text", tmp_path / "out.csv")
    next(run), next(run)
    run.close()
    assert counting.scored == 1 + CHUNK_ROWS
    assert os.listdir(tmp_path) == ["in.csv"]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_a_crash_leaves_what_stood_there(classifier: SentimentClassifier, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"out{suffix}"
    output.write_text("precious")
    with pytest.raises(RuntimeError, match="on fire"):
        score(Counting(classifier, 600), many(tmp_path / "in.csv"), output, force=True)
    assert output.read_text() == "precious"
    assert sorted(os.listdir(tmp_path)) == ["in.csv", output.name]


def test_an_output_is_replaced_only_by_force_and_the_input_never(
    classifier: SentimentClassifier, tmp_path: Path
) -> None:
    source = many(tmp_path / "in.csv", 3)
    (tmp_path / "out.csv").write_text("precious")
    for output, told in (
        (tmp_path / "out.csv", "--force replaces it"),
        (tmp_path / "out.docx", "ends in '.docx'"),
        (tmp_path / "no" / "out.csv", "no folder"),
    ):
        with pytest.raises(FileError, match=told):
            score(classifier, source, output)
    with pytest.raises(FileError, match="the input itself"):
        score(classifier, source, source, force=True)
    score(classifier, source, tmp_path / "out.csv", force=True)
    assert len(rows_of(tmp_path / "out.csv")) == 3
    with pytest.raises(FileError, match="no label column 'stars'"):
        score(classifier, source, tmp_path / "new.csv", label_column="stars")


def test_the_report_counts_every_row_once(classifier: SentimentClassifier, tmp_path: Path) -> None:
    source = many(tmp_path / "in.csv", 600)
    report = score(classifier, source, tmp_path / "out.csv")
    rows = rows_of(tmp_path / "out.csv")
    assert report.rows == report.scored == 600
    assert report.labels == {label: Counter(row["label"] for row in rows)[label] for label in classifier.labels}
    assert {label: sum(counts) for label, counts in report.histogram.counts.items()} == report.labels
    assert all(len(counts) == BINS for counts in report.histogram.counts.values())
    assert report.uncertain == sum(row["uncertain"] == "true" for row in rows)
    assert report.grading is None
    by_score = sorted(float(str(row[f"score_{row['label']}"])) for row in rows)
    assert [one.score for one in report.least_certain] == pytest.approx(by_score[:LEAST_CERTAIN], abs=1e-5)
    assert [one.score for one in report.least_certain] == sorted(one.score for one in report.least_certain)
    first = report.least_certain[0]
    assert rows[first.row - 1]["text"] == first.text


def test_labels_of_the_file_are_compared_with_the_verdicts(classifier: SentimentClassifier, tmp_path: Path) -> None:
    rows = [[row["text"], row["label"][:3].upper()] for row in made_up_texts()]
    source = write_csv(tmp_path / "in.csv", [["text", "truth"], *rows, ["a great film", "?"], ["a great film", ""]])
    grading = score(classifier, source, tmp_path / "out.csv", label_column="truth").grading
    assert grading is not None
    assert grading.rows == 384
    assert grading.without == {"?": 1, "": 1}
    assert grading.labels == grading.verdicts == ["negative", "neutral", "positive"]
    assert [sum(counts) for counts in grading.confusion] == [128, 128, 128]
    hits = sum(grading.confusion[i][i] for i in range(3))
    assert grading.accuracy == pytest.approx(hits / 384)
    assert grading.among_present is None
    assert 0 < grading.macro_f1 <= 1
    assert 0 <= grading.calibration_error < 0.5
    assert sum(one.rows for one in grading.bins) == 384


def test_a_file_that_lacks_a_label_gets_the_accuracy_without_it_too(
    classifier: SentimentClassifier, tmp_path: Path
) -> None:
    rows = [[row["text"], {"negative": "1", "positive": "5"}.get(row["label"], "3")] for row in made_up_texts()]
    source = write_csv(tmp_path / "in.csv", [["text", "stars"], *rows])
    options = {"label_column": "stars", "label_map": {"1": "negative", "5": "positive", "3": None}}
    grading = score(classifier, source, tmp_path / "out.csv", **options).grading
    assert grading is not None
    assert grading.labels == ["negative", "positive"]
    assert grading.among_present is not None
    assert grading.among_present >= grading.accuracy
    assert grading.without == {"": 128}


def test_labels_that_the_model_does_not_know_are_told(classifier: SentimentClassifier, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [["text", "label"], ["great", "joy"], ["awful", "anger"]])
    grading = score(classifier, source, tmp_path / "out.csv", label_column="label").grading
    assert grading is not None
    assert grading.accuracy is None
    assert grading.without == {"joy": 1, "anger": 1}
    assert rows_of(tmp_path / "out.csv")[0]["label"] == "joy"
    assert rows_of(tmp_path / "out.csv")[0]["model_label"]
