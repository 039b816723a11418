"""The behaviour suite: its two halves are complete and independent, and its scorer counts correctly."""

import csv
import io
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import behaviour
from benchmarks.behaviour import Verdict, passes, score_cases, score_identities
from benchmarks.behaviour_cases import FIELDS, SUITE, TERM_SLOTS, expand, expand_half, read_table, read_terms

HALVES = ("development", "frozen")
LABELS = {"negative", "neutral", "positive", "neutral or positive"}
LISTS = ("frozen/facts.csv", "frozen/short_sentences.csv", "development/short_texts.csv")
RUN = 5


def cases_of(half: str) -> list[dict[str, str]]:
    return behaviour.read_rows(SUITE / half / "cases.csv")


def frames_of(half: str) -> list[dict[str, str]]:
    return behaviour.read_rows(SUITE / half / "identity_frames.csv")


def texts_of(half: str) -> Iterator[str]:
    for case in cases_of(half):
        yield from (text for text in (case["text"], case["changed"]) if text)
    for row in frames_of(half):
        yield from (row["frame"].format(identity=term) for term in read_terms(half)["identity"])


def letters_and_digits(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


def runs_of(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[\w']+", text.lower())
    return {tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}


@pytest.mark.parametrize("half", HALVES)
def test_a_half_has_enough_capabilities_cases_and_kinds(half: str) -> None:
    cases = cases_of(half)
    sizes = Counter(case["capability"] for case in cases)
    assert len(sizes) >= 14
    assert min(sizes.values()) >= 60, sizes
    assert {case["kind"] for case in cases} == set(behaviour.KINDS)
    assert len({(case["text"], case["changed"]) for case in cases}) == len(cases)


@pytest.mark.parametrize("half", HALVES)
def test_every_case_has_the_texts_and_the_expectation_of_its_kind(half: str) -> None:
    allowed = {"MFT": LABELS, "INV": {"same"}, "DIR": {"not lower", "not higher"}}
    for case in cases_of(half):
        assert case["expected"] in allowed[case["kind"]], case
        assert bool(case["changed"]) == (case["kind"] != "MFT"), case
        assert case["text"] != case["changed"], case
        assert not re.search(r"[{}|]|\b[Aa] [aeio]|  ", case["text"] + "." + case["changed"]), case


@pytest.mark.parametrize("half", HALVES)
def test_the_cases_are_those_of_the_grammar(half: str) -> None:
    assert cases_of(half) == expand_half(half)


@pytest.mark.parametrize("half", HALVES)
def test_a_half_has_ten_identity_frames(half: str) -> None:
    frames = frames_of(half)
    assert len(frames) >= 10
    assert all("{identity}" in row["frame"] and row["expected"] in LABELS for row in frames)


def test_the_halves_share_no_text_and_no_run_of_words() -> None:
    development, frozen = (set(texts_of(half)) for half in HALVES)
    assert not {letters_and_digits(text) for text in development} & {
        letters_and_digits(text) for text in frozen if letters_and_digits(text)
    }
    assert not set().union(*map(runs_of, development)) & set().union(*map(runs_of, frozen))


def test_the_halves_share_no_table_word_and_no_frame() -> None:
    words, frames = [], []
    for half in HALVES:
        grammar = tomllib.loads((SUITE / half / "grammar.toml").read_text(encoding="utf-8"))
        rows = [row for table in grammar["tables"].values() for row in read_table(table)]
        words.append({cell for row in rows for cell in row.values()})
        shapes = {re.sub(r"{.*?}", "_", frame) for test in grammar["tests"] for frame in test["frames"].splitlines()}
        frames.append(shapes - {""})
    assert not words[0] & words[1]
    assert not frames[0] & frames[1]


@pytest.mark.parametrize("name", LISTS)
def test_no_case_stands_in_another_list(name: str) -> None:
    listed = {letters_and_digits(row["text"]) for row in behaviour.read_rows(SUITE.parent / name)}
    for half in HALVES:
        assert not [text for text in texts_of(half) if letters_and_digits(text) in listed]


def test_the_terms_are_many_and_a_third_is_held_back() -> None:
    minimum = {"identity": 80, "name": 200, "place": 100}
    for slot in TERM_SLOTS:
        training, held_back = (read_terms(half)[slot] for half in HALVES)
        together = training + held_back
        assert len(together) >= minimum[slot]
        assert len({term.lower() for term in together}) == len(together)
        assert len(held_back) / len(together) == pytest.approx(1 / 3, abs=0.02)


def grammar(frames: str, take: int = 2) -> dict[str, object]:
    test = {"capability": "c", "kind": "MFT", "expected": "positive", "take": take, "frames": frames}
    return {"tables": {"dish": "dish | good\nsoup | hot\npie | sweet"}, "tests": [test]}


def test_a_frame_draws_whole_rows() -> None:
    cases = expand(grammar("The {dish} is {good}, not like {dish2!u}."), {}, "seed")
    assert {case["text"] for case in cases} == {
        "The soup is hot, not like PIE.",
        "The pie is sweet, not like SOUP.",
    }
    assert set(cases[0]) == set(FIELDS)


def test_a_frame_with_too_few_words_is_refused() -> None:
    with pytest.raises(ValueError, match="too few different cases"):
        expand(grammar("The {dish}.", take=3), {}, "seed")


def test_a_slot_of_no_table_is_refused() -> None:
    with pytest.raises(ValueError, match="'drink'"):
        expand(grammar("The {drink}."), {}, "seed")


def test_the_tolerance_decides_a_direction() -> None:
    case = {"kind": "DIR", "expected": "not lower"}
    assert passes(case, [Verdict("positive", 0.5), Verdict("positive", 0.41)])
    assert not passes(case, [Verdict("positive", 0.5), Verdict("positive", 0.39)])
    case = {"kind": "DIR", "expected": "not higher"}
    assert passes(case, [Verdict("positive", 0.5), Verdict("positive", 0.59)])
    assert not passes(case, [Verdict("positive", 0.5), Verdict("positive", 0.61)])


def test_an_unknown_expectation_is_refused() -> None:
    with pytest.raises(ValueError, match="not worse"):
        passes({"kind": "DIR", "expected": "not worse"}, [Verdict("neutral", 0), Verdict("neutral", 0)])


CASES = """capability,kind,text,changed,expected
negation,MFT,good,,positive
negation,MFT,bad,,positive
negation,MFT,bad?,,neutral or positive
negation,DIR,bad,good,not higher
names,INV,good,bad,same
names,INV,bad,bad?,same
"""


def fake(texts: list[str]) -> list[Verdict]:
    """Answer by the first letter, and mark texts with a question mark as uncertain."""
    return [
        Verdict("positive", 0.8, "?" in text) if text.startswith("g") else Verdict("negative", -0.8, "?" in text)
        for text in texts
    ]


def test_the_scorer_counts_failures() -> None:
    result = score_cases(list(csv.DictReader(io.StringIO(CASES))), fake)
    negation, names = result["capabilities"]["negation"], result["capabilities"]["names"]
    assert negation["kinds"] == {"MFT": {"cases": 3, "failed": 2}, "DIR": {"cases": 1, "failed": 1}}
    assert negation["failure"] == pytest.approx(3 / 4)
    assert negation["failure_if_uncertain_is_neutral"] == pytest.approx(2 / 4)
    assert names["failure"] == pytest.approx(1 / 2)
    assert names["failure_if_uncertain_is_neutral"] == pytest.approx(1)
    assert result["mean_failure"] == pytest.approx(5 / 8)
    low, high = result["mean_failure_interval"]
    assert low < 5 / 8 < high


def test_the_scorer_measures_the_spread_over_identity_terms() -> None:
    frames = [{"frame": "{identity}", "expected": "positive"}, {"frame": "not {identity}", "expected": "neutral"}]
    result = score_identities(frames, ["good", "bad", "bad?"], fake)
    assert result["spread"] == pytest.approx((1.6 + 0) / 2)
    assert result["largest_spread"] == pytest.approx(1.6)
    assert result["wrong"] == pytest.approx(5 / 6)
    assert result["wrong_if_uncertain_is_neutral"] == pytest.approx(4 / 6)


def test_terms_that_training_lacks_are_scored_apart_in_the_development_half() -> None:
    scored = {half: behaviour.score_half(half, fake) for half in HALVES}
    assert scored["development"]["unseen_identity"]["terms"] >= 50
    assert "unseen_identity" not in scored["frozen"]
    table = behaviour.format_table({"fake": scored["development"]})
    assert "spread of identities that training lacks" in table
    assert "spread of identities that training lacks" not in behaviour.format_table({"fake": scored["frozen"]})


def test_a_result_is_saved_beside_those_of_other_systems(tmp_path: Path) -> None:
    file = tmp_path / "behaviour.json"
    behaviour.save(file, "frozen", {"a": {"mean_failure": 0.5}})
    behaviour.save(file, "frozen", {"b": {"mean_failure": 0.4}})
    behaviour.save(file, "development", {"a": {"mean_failure": 0.3}})
    saved = json.loads(file.read_text(encoding="utf-8"))
    assert saved["frozen"] == {"a": {"mean_failure": 0.5}, "b": {"mean_failure": 0.4}}
    assert saved["development"] == {"a": {"mean_failure": 0.3}}
    assert saved["tolerance"] == behaviour.TOLERANCE


def test_the_table_shows_every_capability_and_kind() -> None:
    result = score_cases(list(csv.DictReader(io.StringIO(CASES))), fake)
    result["identity"] = {"spread": 0.25, "wrong": 0.5}
    table = behaviour.format_table({"ours": result})
    assert "| negation | 4 | 75.0 (MFT 67, DIR 100) |" in table
    assert "| **mean over capabilities** | 6 | **62.5** |" in table
    assert "| identity spread |  | 0.25 |" in table
