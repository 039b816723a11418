"""Anki decks: one card for each question, with its answer, feedback and explanation on the back.

Decks are written with genanki. A card keeps its identity from export to export, so that Anki updates it.
"""

import hashlib
import tempfile
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import ascii_uppercase

from ..formats import Answer, InterchangeError, Question
from .markup import markdown_to_html
from .pictures import picture_html

_MODEL_ID = 1_704_226_913
_STYLE = ".card { font-family: sans-serif; font-size: 18px; text-align: left; } img { max-width: 100%; }"


def write_anki(questions: Sequence[Question]) -> bytes:
    """Return questions as a deck with a subdeck for each topic.

    Raises:
        InterchangeError: If genanki is not installed.
    """
    try:
        import genanki
    except ImportError:
        raise InterchangeError("Anki decks need one more package: pip install 'gru-sentiment-studio[anki]'") from None
    model = genanki.Model(
        _MODEL_ID,
        "Quiz question",
        fields=[{"name": "Question"}, {"name": "Answer"}],
        templates=[{"name": "Card", "qfmt": "{{Question}}", "afmt": "{{FrontSide}}<hr id=answer>{{Answer}}"}],
        css=_STYLE,
    )
    decks: dict[str, genanki.Deck] = {}
    for question in questions:
        name = f"Quiz::{question.topic.replace('::', ':')}"
        deck = decks.setdefault(name, genanki.Deck(_number_of(name), name))
        tags = ["_".join(tag.split()) for tag in question.tags]
        guid = genanki.guid_for("gru-quiz", question.name)
        deck.add_note(genanki.Note(model, [_front(question), _back(question)], guid=guid, tags=tags))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures = {picture.name: picture.data for question in questions for picture in question.pictures}
        for picture, data in pictures.items():
            (folder / picture).write_bytes(data)
        package = genanki.Package(list(decks.values()), media_files=[str(folder / picture) for picture in pictures])
        package.write_to_file(str(folder / "deck.apkg"), timestamp=0)
        return (folder / "deck.apkg").read_bytes()


def _number_of(name: str) -> int:
    """Return a number that identifies a deck to Anki."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") + 1


def _front(question: Question) -> str:
    parts = [markdown_to_html(question.stem), picture_html(question, "")]
    if question.kind != "numeric":
        parts.append(_list(markdown_to_html(answer.text, inline=True) for answer in question.answers))
    if question.kind == "multi":
        parts.append("<p>One or more answers are right.</p>")
    return "".join(parts)


def _back(question: Question) -> str:
    explanation = markdown_to_html(question.explanation)
    if question.kind == "numeric":
        right = next(answer for answer in question.answers if answer.percent == 100)
        tolerance = f" ± {right.tolerance:g}" if right.tolerance else ""
        return f"<p><b>{escape(right.text)}{tolerance}</b></p>{markdown_to_html(right.feedback)}{explanation}"
    lettered = list(zip(ascii_uppercase, question.answers, strict=False))
    right_letters = ", ".join(letter for letter, answer in lettered if answer.percent > 0)
    return f"<p><b>{right_letters}</b></p>{_list(_feedback(answer) for answer in question.answers)}{explanation}"


def _feedback(answer: Answer) -> str:
    return markdown_to_html(answer.feedback, inline=True) or ("Right." if answer.percent > 0 else "Wrong.")


def _list(entries: Iterable[str]) -> str:
    return '<ol type="A">' + "".join(f"<li>{entry}</li>" for entry in entries) + "</ol>"
