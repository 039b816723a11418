"""Questions as teachers write them by hand, in each format: every one is read, or refused with line and reason."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from quiz.__main__ import main
from quiz.bank import load_bank
from quiz.formats.archives import write_archive

FOLDER = Path(__file__).parent / "handwritten"
REFUSED = "which the import does not support"
OUTCOMES = {
    "cooking.gift": [
        "line 4, Roux: read",
        "line 10, question 2: read",
        "line 13, Thickeners: changed: several answers are worth the full mark",
        "line 15, Long list: changed: it has 12 answers; the last 2 wrong ones are left out",
        "line 18, question 5: read",
        "line 20, question 6: read",
        "line 22, question 7: read",
        "line 24, Poaching: read",
        "line 26, question 9: changed: a short answer with numbers becomes a numeric question",
        "line 26, question 9: changed: the wrong number 10 has no feedback and is left out",
        f"line 28, question 10: refused: it is a short answer, {REFUSED}",
        f"line 30, question 11: refused: it is a matching question, {REFUSED}",
        f"line 36, question 12: refused: it is an essay, {REFUSED}",
        "line 38, Half right: changed: some answers are worth part of the mark",
        "line 40, question 14: refused: its picture is at another address, which is not fetched: http://example.org/",
        "line 42, question 15: refused: an answer contains a table, which the quiz cannot show in an answer",
        "10 of 15 questions written",
    ],
    "geography.csv": [
        "line 1, the first row: changed: the column 'Remarks' is not known and is left out",
        "line 2, question 1: read",
        "line 3, question 2: read",
        "line 4, question 3: read",
        "line 5, question 4: changed: the number 4,8 is read as 4.8",
        "line 7, question 5: read",
        "line 8, question 6: refused: '39,000' can be read in two ways; write it without a comma",
        "line 9, question 7: read",
        "line 10, question 8: refused: 'Lima' is not a number, and there are no answers to choose from",
        "line 11, question 9: refused: the correct answer 'E' is none of the answers A, B",
        "line 12, question 10: refused: the cell 'correct' is empty",
        "line 13, question 11: read",
        "7 of 11 questions written",
    ],
    "physics.xml": [
        "line 4, Unit of force: read",
        "line 12, Lever: changed: a picture within the text is shown below it",
        "line 20, Masses: read",
        "line 27, Merged cells: refused: it has a table with merged cells",
        "line 33, Fall: read",
        "line 38, Vacuum: read",
        f"line 44, Newton's first name: refused: it is a short answer, {REFUSED}",
        f"line 49, Quantities: refused: it is a matching question, {REFUSED}",
        f"line 54, Planets: refused: it is an ordering question, {REFUSED}",
        "line 59, Photograph: refused: its picture is at another address, which is not fetched: https://example.org/",
        "line 65, Legs of a tripod: changed: a short answer with numbers becomes a numeric question",
        "6 of 11 questions written",
    ],
    "music.xml": [
        "line 4, Clef: read",
        "line 20, Strings: read",
        "line 34, Keys: read",
        f"line 45, Composer: refused: it is a short answer, {REFUSED}",
        f"line 53, Eras: refused: it is a matching question, {REFUSED}",
        f"line 61, Tempi: refused: it is an ordering question, {REFUSED}",
        "line 70, No key: refused: no answer is worth the full mark",
        "3 of 7 questions written",
    ],
    "chemistry": [
        "acid.xml line 2, Acid: changed: a picture within the text is shown below it",
        f"name.xml line 2, Name it: refused: it is a short answer, {REFUSED}",
        f"order.xml line 2, Reactivity: refused: it is an ordering question, {REFUSED}",
        "ph.xml line 2, pH: read",
        "2 of 4 questions written",
    ],
}
FORMATS = {
    "cooking.gift": "gift", "geography.csv": "csv", "physics.xml": "moodle", "music.xml": "qti1.2",
    "chemistry": "qti2.1",
}  # fmt: skip


def import_file(name: str, folder: Path) -> dict[str, Any]:
    """Import a file, or a folder as an archive; return the items of the bank by id."""
    file = FOLDER / name
    if file.is_dir():
        picture = io.BytesIO()
        Image.new("RGB", (4, 4), "red").save(picture, "PNG")
        parts = {part.name: part.read_bytes() for part in sorted(file.iterdir())}
        file = folder / "archive.zip"
        file.write_bytes(write_archive(parts | {"images/flask.png": picture.getvalue()}))
    main(["import", "--format", FORMATS[name], str(file), "-o", str(folder / "bank.json")])
    return {item.id: item for item in load_bank(folder / "bank.json").items}


@pytest.mark.parametrize("name", OUTCOMES)
def test_every_question_is_read_or_refused_with_line_and_reason(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import_file(name, tmp_path)
    lines = capsys.readouterr().out.splitlines()
    expected = OUTCOMES[name]
    assert len(lines) >= len(expected)
    for line, start in zip(lines, expected, strict=False):
        assert line.startswith(start)


def test_there_are_forty_questions() -> None:
    counts = [int(lines[-1].split()[2]) for lines in OUTCOMES.values()]
    assert sum(counts) >= 40


def test_what_is_read_means_the_same(tmp_path: Path) -> None:
    items: dict[str, Any] = {}
    for name in OUTCOMES:
        folder = tmp_path / name
        folder.mkdir()
        items |= {f"{name} {item_id}": item for item_id, item in import_file(name, folder).items()}

    def correct(key: str) -> list[str]:
        return [option.text for option in items[key].correct_options]

    assert correct("cooking.gift thickeners") == ["Corn starch", "Egg yolk", "Agar"]
    assert correct("cooking.gift long-list") == ["Tarragon"]
    assert len(items["cooking.gift long-list"].options) == 10
    assert (items["cooking.gift poaching"].numeric.value, items["cooking.gift poaching"].numeric.tolerance) == (
        62.5,
        2.5,
    )
    assert correct("geography.csv question-1") == ["Danube"]
    assert correct("geography.csv question-2") == ["Rhine", "Elbe"]
    assert correct("geography.csv question-3") == ["Loire"]
    assert correct("geography.csv question-7") == ["Canberra"]
    assert correct("geography.csv question-11") == ["=A1+A2"]
    assert items["geography.csv question-4"].numeric.value == 4.8
    assert items["physics.xml unit-of-force"].options[0].feedback == "Yes: kg m/s$^{2}$"
    assert "| body | mass |\n| --- | --- |\n| A | 2 kg |" in items["physics.xml masses"].stem
    assert items["physics.xml lever"].media[0].alt == "A lever with two weights"
    assert (tmp_path / "physics.xml" / items["physics.xml lever"].media[0].src).read_bytes()[1:4] == b"PNG"
    assert items["physics.xml legs-of-a-tripod"].numeric.value == 3
    assert correct("music.xml clef") == ["Treble & violin clef"]
    assert items["music.xml clef"].options[1].feedback == "It marks f."
    assert correct("music.xml strings") == ["Harp", "Piano"]
    assert (items["music.xml keys"].numeric.value, items["music.xml keys"].numeric.tolerance) == (88, 0.5)
    acid = items["chemistry acid"]
    assert acid.stem == "Look at the flask:\n\nLitmus turned **red**. What is in it?"
    assert [(option.text, option.correct, option.feedback) for option in acid.options[:2]] == [
        ("An acid", True, "This is right."), ("A base", False, "A base turns it blue."),
    ]  # fmt: skip
    assert (tmp_path / "chemistry" / "acid-1.png").exists()
    assert items["chemistry ph"].stem == "The pH is \\_\\_\\_\\_\\_ in the flask."
    assert items["chemistry ph"].numeric.tolerance == 0.1
