"""The API's answers to texts and tables, and its refusal of values that cannot be judged."""

import asyncio
import csv
import io
import json
import re
from pathlib import Path
from typing import Any, cast

import gradio as gr
import pytest
from gradio.state_holder import SessionState
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from sentiment_gru import SentimentClassifier
from sentiment_gru.results import MAX_CHARACTERS
from sentiment_gru.web import api
from sentiment_gru.web.api import MAX_TEXTS, MAX_TOTAL_CHARACTERS, build_api
from sentiment_gru.web.gradio_compat import GuardedBlocks
from sentiment_gru.web.model_loader import ClassifierLoader

TEXTS = ["a great film", "this story was dull"]


@pytest.fixture(scope="module")
def classifier() -> SentimentClassifier:
    return SentimentClassifier.from_pretrained()


@pytest.fixture(scope="module")
def blocks(classifier: SentimentClassifier) -> GuardedBlocks:
    with GuardedBlocks(analytics_enabled=False) as blocks:
        build_api(cast(ClassifierLoader, classifier))
    return blocks


def call(blocks: GuardedBlocks, name: str, *inputs: Any) -> list[Any]:
    """Return the answer of an endpoint to values by position."""
    (endpoint,) = [fn for fn in blocks.fns.values() if fn.api_name == name]
    data = asyncio.run(blocks.process_api(endpoint, list(inputs), SessionState(blocks)))["data"]
    return [value.model_dump() if isinstance(value, BaseModel) else value for value in data]


def test_every_input_has_a_valid_schema_and_a_description_of_one_line(blocks: GuardedBlocks) -> None:
    """Gradio gives MCP clients the first line only, and they refuse a tool whose schema is not valid."""
    endpoints = blocks.get_api_info()["named_endpoints"]
    inputs = {one["parameter_name"]: one["type"] for info in endpoints.values() for one in info["parameters"]}
    for schema in inputs.values():
        Draft202012Validator.check_schema(schema)
    assert Draft202012Validator(inputs["texts"]).is_valid(TEXTS)
    assert Draft202012Validator(inputs["rows"]).is_valid([*TEXTS, {"text": "fine"}])
    for fn in blocks.fns.values():
        described = fn.fn.__doc__.split("Args:")[1].split("Returns:")[0].strip().splitlines()
        assert all(re.match(r"\s*\w+: ", line) for line in described)


def test_a_verdict_has_all_its_values(blocks: GuardedBlocks, classifier: SentimentClassifier) -> None:
    (answer,) = call(blocks, "classify", "a great film")
    assert answer["label"] == classifier(["a great film"])[0].label
    assert set(answer) >= {"scores", "uncertain", "tokens", "cannot_tell", "warning"}


def test_many_texts_get_their_verdicts_in_order(blocks: GuardedBlocks, classifier: SentimentClassifier) -> None:
    (answers,) = call(blocks, "classify", None, TEXTS)
    assert [answer["label"] for answer in answers] == [verdict.label for verdict in classifier(TEXTS)]


@pytest.mark.parametrize("text", ["x" * (MAX_CHARACTERS + 1), " ", None])
def test_a_value_that_cannot_be_judged_is_refused(blocks: GuardedBlocks, text: object) -> None:
    with pytest.raises(gr.Error, match=r"text (must be|has)"):
        call(blocks, "classify", text)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "at least one text"),
        ("a great film", "texts must be a list"),
        (["fine", " "], "item 2 of texts must be a string"),
        (["fine", {"text": "fine"}], "item 2 of texts must be a string"),
        (["fine"] * (MAX_TEXTS + 1), "texts has 257 items; up to 256"),
        (["x" * (MAX_TOTAL_CHARACTERS // 2)] * 3, "texts has 150,000 characters; up to 100,000"),
    ],
)
def test_texts_that_cannot_be_judged_at_once_are_refused(blocks: GuardedBlocks, texts: object, message: str) -> None:
    with pytest.raises(gr.Error, match=message):
        call(blocks, "classify", None, texts)


def test_a_text_beside_texts_is_refused(blocks: GuardedBlocks) -> None:
    with pytest.raises(gr.Error, match="not both"):
        call(blocks, "classify", "fine", TEXTS)


@pytest.mark.parametrize(
    ("csv_text", "rows"),
    [
        ("review,id\na great film,1\nthis story was dull,2\n", None),
        ("", [{"review": text, "id": number} for number, text in enumerate(TEXTS, 1)]),
        ("", TEXTS),
    ],
)
def test_a_table_in_the_request_is_scored_and_returned_as_text(
    blocks: GuardedBlocks, classifier: SentimentClassifier, csv_text: str, rows: list[Any] | None
) -> None:
    file, report = call(blocks, "score_file", None, "", "", "csv", csv_text, rows)
    assert report["rows"] == 2
    assert Path(file["path"]).read_text(encoding="utf-8") == report["content"]
    scored = list(csv.DictReader(io.StringIO(report["content"])))
    assert [row["label"] for row in scored] == [verdict.label for verdict in classifier(TEXTS)]
    assert [row.get("review", row.get("text")) for row in scored] == TEXTS


def test_labels_in_rows_are_compared_and_a_workbook_is_not_returned_as_text(blocks: GuardedBlocks) -> None:
    rows = [{"text": text, "label": "positive"} for text in TEXTS]
    file, report = call(blocks, "score_file", None, "text", "label", "xlsx", "", rows)
    assert report["grading"]["rows"] == 2
    assert "content" not in report
    assert Path(file["path"]).read_bytes()[:2] == b"PK"


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((None, "", "", "csv"), "without an upload, send csv_text or rows"),
        ((None, "", "", "csv", "text\nfine\n", TEXTS), "send one of file, csv_text and rows"),
        ((None, "", "", "csv", "", []), "rows must be a list of texts, or of objects"),
        ((None, "", "", "csv", "", ["fine", {"text": "fine"}]), "rows must be a list of texts, or of objects"),
        ((None, "", "", "csv", "", {"text": "fine"}), "rows must be a list of texts, or of objects"),
        ((None, "no", "", "csv", "", TEXTS), "there is no text column 'no'"),
        ((None, "", "", "exe", "", TEXTS), "output_format must be one of"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(blocks: GuardedBlocks, inputs: tuple[Any], message: str) -> None:
    with pytest.raises(gr.Error, match=message):
        call(blocks, "score_file", *inputs)


def test_a_table_beyond_the_limit_of_a_request_is_refused(
    blocks: GuardedBlocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "SENT_CHARACTERS", len(json.dumps({"text": "fine"})) + 1)
    call(blocks, "score_file", None, "", "", "csv", "", ["fine"])
    with pytest.raises(gr.Error, match="up to 17 are read from a request"):
        call(blocks, "score_file", None, "", "", "csv", "", ["fine."])


def test_a_path_of_the_server_is_not_read(blocks: GuardedBlocks) -> None:
    with pytest.raises(gr.Error) as caught:
        call(blocks, "score_file", {"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}})
    assert Path("/etc/hostname").read_text().strip() not in str(caught.value)
