"""Pictures, archives, CSV cells and decks: what is kept, and what is refused because of its size or address."""

import base64
import csv
import io
import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from quiz.__main__ import main
from quiz.bank import load_bank
from quiz.formats import Answer, InterchangeError, Picture, Question, UnreadableError, archives, pictures
from quiz.formats.archives import read_archive, write_archive
from quiz.formats.csv_table import read_table, write_table
from quiz.formats.gift import read_gift
from quiz.formats.moodle import read_moodle
from quiz.formats.pictures import load_from, take_pictures
from quiz.formats.qti import read_qti
from quiz.formats.qti12 import write_qti12
from quiz.formats.qti21 import write_qti21

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def picture(kind: str, size: tuple[int, int] = (4, 4)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    """Return a bank with two pictures beside it."""
    item: dict[str, Any] = {"id": "pump", "type": "single", "topic": "T", "stem": "What is *this*?", "code": "x = 1"}
    item |= {"options": [{"oid": "a", "text": "A"}, {"oid": "b", "text": "B"}], "key": {"correct": ["a"]}}
    item["media"] = [
        {"src": "pump.png", "alt": 'A pump & a "valve" [left]'},
        {"src": "flow.svg", "alt": "The direction of flow"},
    ]
    (tmp_path / "pump.png").write_bytes(picture("PNG"))
    (tmp_path / "flow.svg").write_bytes(SVG)
    file = tmp_path / "bank.json"
    file.write_text(json.dumps({"schema_version": "1.0", "demands": "basic", "items": [item]}))
    return file


@pytest.mark.parametrize("file_format", ["moodle", "qti1.2", "qti2.1"])
def test_pictures_survive_a_round_trip(
    file_format: str, bank: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new" / "mine.json"
    new.parent.mkdir()
    assert main(["export", "--format", file_format, "--bank", str(bank), str(tmp_path / "file")]) == 0
    assert main(["import", "--format", file_format, str(tmp_path / "file"), "-o", str(new)]) == 0
    assert "2 pictures written beside it" in capsys.readouterr().out
    (old_item,), (item,) = load_bank(bank).items, load_bank(new).items
    assert (item.stem, item.code) == (old_item.stem, old_item.code)
    assert [media.alt for media in item.media] == [media.alt for media in old_item.media]
    assert [media.src for media in item.media] == ["pump-1.png", "pump-2.svg"]
    assert [(new.parent / media.src).read_bytes() for media in item.media] == [picture("PNG"), SVG]


@pytest.mark.parametrize("file_format", ["gift", "csv"])
def test_a_format_without_pictures_says_so(
    file_format: str, bank: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--format", file_format, "--bank", str(bank), str(tmp_path / "file")]) == 0
    assert "not exported: pictures (1 item)" in capsys.readouterr().out


def test_a_missing_picture_is_reported(bank: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pump.png").unlink()
    assert main(["export", "--format", "moodle", "--bank", str(bank), str(tmp_path / "file")]) == 1
    assert "item pump: its picture pump.png cannot be read (No such file or directory)" in capsys.readouterr().out


def test_no_picture_is_overwritten_without_force(
    bank: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["export", "--format", "moodle", "--bank", str(bank), str(tmp_path / "file")])
    (tmp_path / "pump-1.png").write_text("mine")
    assert main(["import", "--format", "moodle", str(tmp_path / "file"), "-o", str(tmp_path / "new.json")]) == 1
    assert "pump-1.png already exists; --force overwrites it" in capsys.readouterr().out
    assert not (tmp_path / "new.json").exists()
    assert (tmp_path / "pump-1.png").read_text() == "mine"


@pytest.mark.parametrize("kind", ["JPEG", "GIF", "BMP"])
def test_other_pictures_are_converted_to_png(kind: str) -> None:
    text, found, changes = take_pictures("Look: ![A red square](a.img) here.", load_from({"a.img": picture(kind)}))
    assert text == "Look: here."
    assert Image.open(io.BytesIO(found[0].data)).format == "PNG"
    assert changes == ["a picture within the text is shown below it", "the picture a.img is converted to PNG"]


def test_a_picture_in_code_is_text() -> None:
    text = "`![a](b)` and\n```\n![c](d)\n```"
    assert take_pictures(text, load_from({})) == (text, [], [])


def test_a_picture_within_the_address_is_read() -> None:
    address = "data:image/png;base64," + base64.b64encode(picture("PNG")).decode()
    image = f'<img src="{address}" alt="A red square">'.replace("=", r"\=")
    html = f"[html]<p>Which colour?</p>{image} {{=Red ~Blue}}"
    (question,), notes = read_gift(html.encode())
    assert notes == []
    assert question.stem == "Which colour?"
    assert question.pictures == (Picture("picture.png", picture("PNG"), "A red square"),)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("https://example.org/a.png", "at another address, which is not fetched"),
        ("//example.org/a.png", "at another address, which is not fetched"),
        ("file:///etc/passwd", "at another address, which is not fetched"),
        ("../../etc/passwd", "is not in the file"),
        ("", "is not in the file"),
        ("data:image/png;base64,@@", "is not valid base64"),
        ("data:text/html,x", "at another address, which is not fetched"),
        ("broken.png", "or is damaged"),
        ("text.png", "or is damaged"),
        ("doctype.svg", "is not plain SVG"),
        ("page.svg", "is not plain SVG"),
        ("huge.png", "has more than 1 million pixels"),
        ("heavy.png", "is larger than 2 MB"),
    ],
)
def test_a_picture_that_cannot_be_shown_is_refused(address: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_PIXELS", 1_000_000)
    files = {
        "broken.png": picture("PNG")[:40],
        "text.png": b"no picture",
        "doctype.svg": b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]>' + SVG,
        "page.svg": b"<?xml version='1.0'?><html/>",
        "huge.png": picture("PNG", (1001, 1000)),
        "heavy.png": b"\0" * 2_000_001,
    }
    with pytest.raises(UnreadableError, match=reason):
        take_pictures(f"![A picture of x]({address})", load_from(files))


def test_a_picture_in_an_answer_is_refused_and_one_in_feedback_described() -> None:
    image = '<img src="x.png" alt="A cell">'
    gift = f"[html]Q? {{={image} ~B}}\n\n[html]R? {{=A#{image} ~B}}".replace("src=", "src\\=").replace("alt=", "alt\\=")
    (question,), (note,) = read_gift(gift.encode())
    assert str(note) == "line 1, question 1: refused: " + (
        "an answer contains a picture, which this quiz can show in the question only"
    )
    assert question.answers[0].feedback == "A cell"
    assert question.changes == ("pictures outside the question become their descriptions",)


def test_a_file_that_is_no_picture_is_announced() -> None:
    file = '<file name="notes.pdf" path="/" encoding="base64">aGk=</file>'
    xml = f'<quiz><question type="truefalse"><questiontext><text>Q</text>{file}</questiontext></question></quiz>'
    (question,), _ = read_moodle(xml.encode())
    assert question.changes == ("its file notes.pdf is left out",)


def question(kind: str = "single", stem: str = "Q?", text: str = "A") -> Question:
    return Question(kind, "q", stem, (Answer(text, 100), Answer("B", 0)), "Topic")


def test_an_archive_is_read_within_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = write_archive({"a.xml": b"\0" * 3000})
    assert len(bomb) < 300
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 2000)
    with pytest.raises(InterchangeError, match="the archive unpacks to more than"):
        read_qti(bomb)
    monkeypatch.setattr(archives, "MAX_FILES", 2)
    with pytest.raises(InterchangeError, match="more than 2 files"):
        read_archive(write_archive(dict.fromkeys("abc", b"")))
    with pytest.raises(InterchangeError, match="cannot be read"):
        read_archive(bomb[:-30])


LAUGHS = b'<!DOCTYPE q [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><questestinterop>&b;</questestinterop>'


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"<html/>", "the file is not QTI"),
        (LAUGHS, "DOCTYPE"),
        (write_archive({"a.xml": LAUGHS}), r"a\.xml: the file declares a document type"),
        (write_archive({"a.txt": b"", "b.xml": b"<html/>"}), "no file in QTI 1.2 or 2.1"),
        (write_archive({"a.xml": b"<a>"}), r"a\.xml: the file is not XML"),
    ],
)
def test_a_file_that_is_not_qti_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(InterchangeError, match=reason):
        read_qti(data)


def test_an_export_is_the_same_each_time() -> None:
    for write in (write_qti12, write_qti21):
        assert write([question()]) == write([question()])


@pytest.mark.parametrize("write", [write_qti12, write_qti21])
def test_a_character_that_xml_does_not_allow_is_reported_with_its_item(write: Any) -> None:
    with pytest.raises(InterchangeError, match="item q: "):
        write([question(stem="a\x01b")])


def test_markup_in_a_bank_stays_text_in_qti() -> None:
    data = zipfile.ZipFile(io.BytesIO(write_qti12([question(stem="<script>alert(1)</script>")]))).read("quiz.xml")
    assert b"&amp;lt;script&amp;gt;" in data


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1))
def test_no_cell_of_a_table_can_be_a_formula_and_every_text_comes_back(text: str) -> None:
    text = text.strip() or "x"
    written = write_table([question(text=text)])
    cells = list(csv.reader(io.StringIO(written.removeprefix("\ufeff"), newline="")))[1]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@")) and not cell.lstrip("+-")[:1].isdigit()]
    (read,), _ = read_table(written.encode())
    assert read.answers[0].text == text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        ("question,correct\nGrüße,1".encode("latin-1"), "save it as 'CSV UTF-8'"),
        (b"question,A,B\nQ,1,2\n", "names no column 'correct'"),
        (b"question,correct\n", "contains no questions"),
        (b'question,correct\n"Q,1\n', "the file is not CSV: unexpected end of data, in line 2"),
        (b"question,correct\n" + b"x" * 200_000 + b",1\n", "line 2 has a cell of more than 100,000 characters"),
    ],
)
def test_a_file_that_is_not_such_a_table_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(InterchangeError, match=reason):
        read_table(data)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Q,A,B,a b,essay", "its type 'essay' is none of single, multi, numeric"),
        ("Q,A,B,A B,single", "a single-choice question has one correct answer, not 2"),
        ("Q,,,soon,numeric", "'soon' is not a number"),
    ],
)
def test_a_row_that_is_no_question_is_refused(row: str, reason: str) -> None:
    _, (note,) = read_table(f"question,A,B,correct,type\n{row}\n".encode())
    assert note.refused
    assert note.line == 2
    assert reason in note.text


def test_a_deck_has_a_card_for_each_question(bank: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--format", "anki", str(tmp_path / "shipped.apkg")]) == 0
    exported = sum(not (item.local or item.arrangement or item.sliders) for item in load_bank().items)
    output = capsys.readouterr().out
    assert f"not exported: hints ({exported} items)" in output
    with zipfile.ZipFile(tmp_path / "shipped.apkg") as archive:
        archive.extract("collection.anki2", tmp_path)
    with sqlite3.connect(tmp_path / "collection.anki2") as connection:
        fields = [row[0] for row in connection.execute("SELECT flds FROM notes")]
        assert connection.execute("SELECT count(*) FROM cards").fetchone() == (exported,)
    connection.close()
    assert len(fields) == exported
    opening = next(text for text in fields if "component of a GRU?" in text)
    assert "<p><b>C</b></p>" in opening
    assert main(["export", "--format", "anki", "--bank", str(bank), str(tmp_path / "mine.apkg")]) == 0
    with zipfile.ZipFile(tmp_path / "mine.apkg") as archive:
        assert json.loads(archive.read("media")) == {"0": "pump.png", "1": "flow.svg"}
        assert archive.read("0") == picture("PNG")


def test_a_deck_cannot_be_imported(bank: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "--format", "anki", str(bank), "-o", "x.json"]) == 1
    assert "Anki decks are written, not read" in capsys.readouterr().out
