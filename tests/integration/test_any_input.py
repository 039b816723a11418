"""Public functions given anything: they answer, or refuse with an error of ours."""

import json
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quiz import Bank, BankError, Session, SessionError, advance, answer, load_bank, start_session, take_hint
from quiz.selection import list_scopes
from sentiment_gru import CheckpointError, FileError, InputError, SentimentClassifier
from sentiment_gru.checkpoint import check_folder
from sentiment_gru.files.formats import SUFFIXES, read_table
from tests.unit.explanation.test_explanation import WORDS, make

TEXTS = st.text() | st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@cache
def classifier() -> SentimentClassifier:
    return make()


@cache
def shipped_bank() -> Bank:
    return load_bank()


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.integers(-2, 9), st.sampled_from(["remove", "negate", "replace"]) | st.text(max_size=5), TEXTS)
def test_a_change_is_judged_or_refused(text: str, index: int, action: str, replacement: str) -> None:
    try:
        found = classifier().what_if(text, index, action, replacement)
    except InputError:
        return
    assert found.text == text
    assert found.after == classifier()([found.changed])[0]


@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_a_flip_is_a_flip(text: str) -> None:
    flip = classifier().smallest_flip(text)
    if flip is not None:
        ids = classifier().encode([text])[0]
        rest = [token for place, token in enumerate(ids) if place not in flip.removed]
        verdicts = [int(classifier().logits((), [row])[0].argmax()) for row in (ids, rest)]
        assert verdicts[0] != verdicts[1]


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.lists(st.text(max_size=3)) | st.just(["as_read"]), st.none() | st.text(max_size=8))
def test_an_explanation_has_the_verdict_of_the_text_or_is_refused(
    text: str, methods: list[str], target: str | None
) -> None:
    try:
        found = classifier().explain(text, methods, target)
    except InputError:
        return
    assert found.prediction == classifier()([text])[0]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode), st.sampled_from([*SUFFIXES, ".doc", ""]))
def test_any_bytes_are_a_table_or_refused(content: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"in{suffix}")
        path.write_bytes(content)
        try:
            table = read_table(path)
            rows = list(table.content.read())
        except FileError:
            return
        assert len(rows) == table.rows


@settings(max_examples=100, deadline=None)
@given(JSON.map(json.dumps) | st.text(max_size=50))
def test_any_text_is_a_bank_or_refused(content: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bank.json")
        path.write_text(content, encoding="utf-8", errors="surrogatepass")
        try:
            bank = load_bank(path)
        except BankError:
            return
        assert bank.items


@settings(max_examples=100, deadline=None)
@given(JSON.map(json.dumps) | st.text(max_size=50))
def test_any_configuration_without_weights_is_refused_in_one_line(content: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(content, encoding="utf-8", errors="surrogatepass")
        with pytest.raises(CheckpointError) as caught:  # it has no weights, if it is a configuration at all
            check_folder(Path(folder))
        assert "\n" not in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_steps_leave_a_run_whole(data: st.DataObject) -> None:
    bank = shipped_bank()
    scope = data.draw(st.sampled_from(sorted(list_scopes(bank))))
    session = start_session(bank, scope, seed=data.draw(st.integers(0, 99)))
    for _ in range(data.draw(st.integers(1, 12))):
        before = session
        session = step(session, data)
        assert len(session.grades) - len(before.grades) in (0, 1)
        assert session.grades[: len(before.grades)] == before.grades  # what was answered stays
        assert 0 <= session.credit <= len(session.grades)


def step(session: Session, data: st.DataObject) -> Session:
    """Return the session after whatever a page may ask for, or as it was if that was refused."""
    item = session.open_item
    item_id = data.draw(st.just(item.id if item else "") | st.text(max_size=5))
    options = [option.oid for option in item.options] if item else []
    typed = st.sampled_from(["0", "0,5", "3/4"]) | st.text(max_size=3)
    chosen = data.draw(st.lists(st.sampled_from(options) if options else typed, max_size=4) | st.lists(typed))
    try:
        match data.draw(st.sampled_from(["hint", "answer", "advance"])):
            case "hint":
                return take_hint(session, item_id)
            case "answer":
                return answer(session, item_id, chosen)[0]
            case _:
                return advance(session)
    except SessionError:
        return session
