"""Export and import: mapped fields survive a round trip through every format, and the others are listed."""

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from quiz.__main__ import main
from quiz.bank import Bank, Item, load_bank, make_bank
from quiz.formats import Question
from quiz.formats.convert import to_bank, to_question
from quiz.formats.csv_table import read_table, write_table
from quiz.formats.gift import read_gift, write_gift
from quiz.formats.markup import bank_to_moodle, markdown_to_html, moodle_to_bank
from quiz.formats.moodle import read_moodle, write_moodle
from quiz.formats.qti import read_qti
from quiz.formats.qti12 import write_qti12
from quiz.formats.qti21 import write_qti21
from quiz.validation import find_faults

SHIPPED = load_bank()
FORMATS = ("moodle", "gift", "qti1.2", "qti2.1", "csv")
KEEP_EVERY_CHARACTER = ("moodle", "gift", "csv")
KEEP_HINTS = ("moodle", "csv")
WRITERS: dict[str, Callable[[list[Question]], bytes]] = {
    "moodle": write_moodle,
    "gift": lambda questions: write_gift(questions).encode(),
    "qti1.2": write_qti12,
    "qti2.1": write_qti21,
    "csv": lambda questions: write_table(questions).encode(),
}
READERS = {"moodle": read_moodle, "gift": read_gift, "qti1.2": read_qti, "qti2.1": read_qti, "csv": read_table}
AMOUNTS = re.compile(r"\$\d[^$\n]*\$\d")  # would be read as a formula, so an import refuses them
PIECES = [
    "a", "B ", "7", "$x_t$", r"$\tanh(a_{1}*b)$", "$a<b & c>d$", r"$\left\{x\right\}$", r"$\nabla \# \|x\|$", "$5",
    "`code {x} ~ = # :`", "`` a`b ``", "`", "**bold**", "\\", r"\\(", r"\(", "(", ")", "&", "&amp;", "&lt;", "<b>", "{",
    "}", "~", "=", "#", "::", "->", "%50%", "[html]", "[x](https://a.b)", "//", "####", "\n\n", "\n", "]]>", "é", "'",
    '"', "TRUE", "\n```python\nx = {1: 2}\n```\n", " //x\n", "$CATEGORY: x", "\U0001f600",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join).map(str.strip).filter(bool)
texts = texts.filter(lambda text: not AMOUNTS.search(text))
lines = texts.map(lambda text: " ".join(text.split()))
numbers = st.floats(-1e6, 1e6, allow_nan=False) | st.integers(-1000, 1000)


@st.composite
def raw_items(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["single", "multi", "numeric"]))
    item: dict[str, Any] = {"type": kind, "topic": draw(lines), "stem": draw(texts.filter(lambda t: "```" not in t))}
    hints = draw(st.lists(texts, max_size=2))
    if kind == "numeric":
        value, *wrong = draw(st.lists(numbers, min_size=1, max_size=4, unique=True))
        wrong = [number for number in wrong if abs(number - value) > 0.25]
        item["key"] = {
            "value": value, "tolerance": draw(st.sampled_from([0, 0.1, 0.25])), "hints": hints, "unit": "steps [s]",
            "feedback": {"right": draw(texts), "wrong": draw(texts)},
            "anticipated": [{"value": number, "feedback": draw(texts)} for number in wrong],
        }  # fmt: skip
    else:
        options = draw(st.lists(lines, min_size=2, max_size=6, unique=True))
        item["options"] = [{"oid": f"o{number}", "text": text} for number, text in enumerate(options)]
        count = 1 if kind == "single" else draw(st.integers(1, len(options) - 1))
        correct = [f"o{number}" for number in range(len(options))][-count:]
        feedback = {f"o{number}": draw(texts) for number in range(len(options))}
        item["key"] = {"correct": correct, "feedback": feedback, "hints": hints}
    optional = {
        "explanation": texts, "code": st.sampled_from(["x = 1", "def f(a):\n    return {a: '~='}\n\nf(1)"]),
        "sources": st.just([{"cite": "A [b], c", "loc": "Section 1 (x)", "url": "https://a.org/b_c?d=e&f#g"}] * 2),
        "version": st.integers(1, 9), "difficulty": st.integers(1, 5), "convention": st.sampled_from(["keras", "none"]),
        "bloom": st.just("apply"), "status": st.just("draft"), "blueprint": st.just("A1"), "negative": st.just(True),
    }  # fmt: skip
    return item | {name: draw(values) for name, values in optional.items() if draw(st.booleans())}


def make_round_trip(bank: Bank, file_format: str) -> Bank:
    questions = [to_question(item, bank.folder) for item in bank.items]
    read, unread = READERS[file_format](WRITERS[file_format](questions))
    data, notes, _ = to_bank(read)
    assert not [str(note) for note in (*unread, *notes)]
    assert not list(find_faults(data))
    return make_bank(data)


def mapped_fields(item: Item, file_format: str) -> dict[str, Any]:
    """Return the fields that the format supports. Texts that it holds as HTML are compared as they are shown."""

    def shown(text: str) -> str:
        return text if file_format in KEEP_EVERY_CHARACTER else " ".join(markdown_to_html(text).split())

    key = item.numeric
    return {
        "plain": [item.id, item.type, item.topic, shown(item.stem), item.code, shown(item.explanation), item.sources],
        "craft": [item.bloom, item.difficulty, item.convention, item.blueprint, item.negative],
        "state": [item.version, item.status],
        "options": [(shown(option.text), option.correct, shown(option.feedback)) for option in item.options],
        "number": key and (key.value, key.tolerance, key.unit, shown(key.right), shown(key.wrong)),
        "anticipated": key and [(wrong.value, shown(wrong.feedback)) for wrong in key.anticipated],
        "hints": item.hints if file_format in KEEP_HINTS else (),
    }


def assert_same(bank: Bank, file_format: str) -> None:
    back = make_round_trip(bank, file_format)
    assert [mapped_fields(item, file_format) for item in back.items] == [
        mapped_fields(item, file_format) for item in bank.items
    ]


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_shipped_bank_survives_a_round_trip(file_format: str) -> None:
    exported = tuple(item for item in SHIPPED.items if not (item.arrangement or item.sliders))
    assert_same(dataclasses.replace(SHIPPED, items=exported), file_format)


@pytest.mark.parametrize("file_format", KEEP_EVERY_CHARACTER)
@settings(max_examples=60)
@given(raws=st.lists(raw_items(), min_size=1, max_size=3))
def test_any_bank_survives_a_round_trip(file_format: str, raws: list[dict[str, Any]]) -> None:
    items = [{"id": f"item-{number}"} | raw for number, raw in enumerate(raws)]
    data = {"schema_version": "1.0", "demands": "basic", "items": items}
    assert not list(find_faults(data))
    assert_same(make_bank(data), file_format)


@given(texts)
@example("`$5``$x_t$")  # backticks of a formula must not end a code span
@example("$a&#96;b$ `")
def test_the_markdown_of_moodle_is_converted_back(text: str) -> None:
    assert moodle_to_bank(bank_to_moodle(text)) == text


@pytest.mark.parametrize("tex", [r"h_{t-1}\odot r_t*z_t", r"a<b & c", r"\{x\}\,[y]", r"W\_x`y`"])
def test_a_formula_is_unchanged_after_markdown_is_rendered(tex: str) -> None:
    page = MarkdownIt().render(bank_to_moodle(f"Take ${tex}$ and $x_1*x_2$ twice."))
    escaped = tex.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert page == f"<p>Take \\({escaped}\\) and \\(x_1*x_2\\) twice.</p>\n"


def test_correct_choices_share_the_mark_and_wrong_ones_the_penalty() -> None:
    several = to_question(next(item for item in SHIPPED.items if item.type == "multi"), SHIPPED.folder)
    assert sorted({round(answer.percent, 3) for answer in several.answers}) == [-33.333, 50]
    written = write_moodle([several]).decode()
    assert written.count('fraction="50"') == 2
    assert written.count('fraction="-33.33333"') == 3
    assert "~%-33.33333%" in write_gift([several])


def test_code_with_markup_is_in_cdata() -> None:
    item = dataclasses.replace(SHIPPED.items[0], code="a < b and c & d")
    written = write_moodle([to_question(item, SHIPPED.folder)]).decode()
    assert f"<text><![CDATA[{item.stem}\n\n```python\na < b and c & d\n```]]></text>" in written


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main([str(argument) for argument in arguments])
    return code, capsys.readouterr().out


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_command_line_exports_and_imports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file_format: str
) -> None:
    file, bank = tmp_path / "questions", tmp_path / "mine.json"
    code, output = run(capsys, "export", "--format", file_format, file)
    assert code == 0
    arranged = [item.id for item in SHIPPED.items if item.arrangement]
    sliders = [item.id for item in SHIPPED.items if item.sliders]
    exported = len(SHIPPED.items) - 1 - len(arranged) - len(sliders)
    for name in arranged:
        assert f"not exported: {name}, whose options are to be put in order or matched\n" in output
    for name in sliders:
        assert f"not exported: {name}, whose sliders are to be set\n" in output
    assert output.endswith(f"{exported} items written to {file}\n")
    assert "not exported: gru-use-006, which asks about this app\n" in output
    for lost in (f"objective ({exported} items)", f"misconceptions ({exported} items)", "prerequisites (34 items)"):
        assert f"not exported: {lost}" in output
    assert ("not exported: hints" in output) == (file_format not in KEEP_HINTS)
    code, output = run(capsys, "import", "--format", file_format, file, "-o", bank)
    assert code == 0
    assert f"{exported} of {exported} questions written" in output
    assert len(load_bank(bank).items) == exported
    assert run(capsys, "lint", bank) == (0, f"{exported} items, 0 problems\n")


def test_no_file_is_overwritten_without_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "questions.xml"
    file.write_text("mine")
    code, output = run(capsys, "export", "--format", "moodle", file)
    assert code == 1
    assert "already exists; --force overwrites it" in output
    assert file.read_text() == "mine"
    assert run(capsys, "export", "--format", "moodle", file, "--force")[0] == 0
    assert file.read_text() != "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["questions.xml"]


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["export", "--format", "gift", "x.gift", "--bank", "nowhere.json"], "nowhere.json cannot be read"),
        (["export", "--format", "gift", "no/folder/x.gift"], "No such file or directory"),
        (["import", "--format", "gift", "nowhere.gift", "-o", "x.json"], "No such file or directory"),
    ],
)
def test_a_wrong_path_is_reported(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    fragment: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = run(capsys, *arguments)
    assert code == 1
    assert fragment in output


def test_a_character_that_xml_does_not_allow_is_reported_with_its_item(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    item = {"id": "odd", "type": "single", "topic": "T", "stem": "a\u0001b", "key": {"correct": ["a"]}}
    item["options"] = [{"oid": "a", "text": "A"}, {"oid": "b", "text": "B"}]
    bank = tmp_path / "bank.json"
    bank.write_text(json.dumps({"schema_version": "1.0", "demands": "basic", "items": [item]}))
    code, output = run(capsys, "export", "--format", "moodle", tmp_path / "x.xml", "--bank", bank)
    assert code == 1
    assert re.match("item odd: ", output)
    assert not (tmp_path / "x.xml").exists()
