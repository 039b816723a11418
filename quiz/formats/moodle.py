"""Moodle XML: https://docs.moodle.org/en/Moodle_XML_format.

Files are read without document types, external entities or network access.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from html import escape

from lxml import etree

from ..bank import HINT_COST
from ..formats import (
    NUMBER,
    Answer,
    InterchangeError,
    Note,
    Question,
    UnreadableError,
    format_category,
    read_category,
)
from .archives import line_number, parse_xml
from .markup import auto_format_to_markdown, bank_to_moodle, html_to_markdown, moodle_to_bank
from .pictures import describe_other_pictures, load_from, refuse_pictures, take_pictures

_FILES = "@@PLUGINFILE@@/"
"""Start of the address of a file that is within the question."""
_TEXT_FORMATS: dict[str, Callable[[str], str]] = {
    "markdown": moodle_to_bank,
    "html": html_to_markdown,
    "moodle_auto_format": auto_format_to_markdown,
    "plain_text": lambda text: text,
}
_OTHER_TYPES = {
    "essay": "an essay", "ordering": "an ordering question", "matching": "a matching question",
    "shortanswer": "a short answer", "cloze": "a cloze text", "description": "a text without a question",
    "calculated": "a calculated question", "ddwtos": "a text with gaps", "gapselect": "a text with gaps",
}  # fmt: skip
_PICTURE_SUFFIXES = (".png", ".webp", ".svg", ".jpg", ".jpeg", ".gif", ".bmp")
_COMBINED_FEEDBACK = ("correctfeedback", "partiallycorrectfeedback", "incorrectfeedback")
_DEFAULT_FEEDBACK = {  # what Moodle itself writes into new questions
    "", "Your answer is correct.", "Your answer is partially correct.", "Your answer is incorrect.",
}  # fmt: skip


def write_moodle(questions: Iterable[Question]) -> bytes:
    """Return questions as Moodle XML in UTF-8, with a category before each series on a topic.

    Raises:
        InterchangeError: If a text contains a character that XML does not allow.
    """
    root = etree.Element("quiz")
    topic = None
    for question in questions:
        if question.topic != topic:
            topic = question.topic
            category = etree.SubElement(etree.SubElement(root, "question", type="category"), "category")
            _add_text(category, format_category(topic))
        try:
            _add_question(root, question)
        except ValueError as error:
            raise InterchangeError(f"item {question.name}: {error}") from error
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _add_question(root: etree._Element, question: Question) -> None:
    numeric = question.kind == "numeric"
    element = etree.SubElement(root, "question", type="numerical" if numeric else "multichoice")
    _add_text(etree.SubElement(element, "name"), question.name)
    pictures = (f"\n\n![{_escape(picture.alt)}]({_FILES}{picture.name})" for picture in question.pictures)
    text = _add_markdown(element, "questiontext", question.stem + "".join(pictures))
    for picture in question.pictures:
        file = etree.SubElement(text, "file", name=picture.name, path="/", encoding="base64")
        file.text = base64.b64encode(picture.data).decode()
    _add_markdown(element, "generalfeedback", question.explanation)
    _add_values(element, defaultgrade="1", penalty=str(HINT_COST), hidden="0", idnumber=question.name)
    if not numeric:
        single = "true" if question.kind == "single" else "false"
        _add_values(element, single=single, shuffleanswers="true", answernumbering="ABCD")
        for name in _COMBINED_FEEDBACK:
            _add_markdown(element, name, "")
    for answer in question.answers:
        _add_answer(element, answer, numeric)
    if numeric:
        _add_values(element, unitgradingtype="0", unitpenalty="0.1", showunits="3", unitsleft="0")
    for hint in question.hints:
        _add_markdown(element, "hint", hint)
    if question.tags:
        tags = etree.SubElement(element, "tags")
        for tag in question.tags:
            _add_text(etree.SubElement(tags, "tag"), tag)


def _escape(alt: str) -> str:
    return re.sub(r"[\[\]\\]", r"\\\g<0>", alt)


def _add_answer(question: etree._Element, answer: Answer, numeric: bool) -> None:
    fraction = f"{answer.percent:.5f}".rstrip("0").rstrip(".")
    if numeric:
        element = etree.SubElement(question, "answer", fraction=fraction, format="moodle_auto_format")
        _add_text(element, answer.text)
        _add_values(element, tolerance=repr(answer.tolerance))
    else:
        element = _add_markdown(question, "answer", answer.text)
        element.set("fraction", fraction)
    _add_markdown(element, "feedback", answer.feedback)


def _add_markdown(parent: etree._Element, name: str, markdown: str) -> etree._Element:
    element = etree.SubElement(parent, name, format="markdown")
    _add_text(element, bank_to_moodle(markdown))
    return element


def _add_text(parent: etree._Element, text: str) -> None:
    plain = "]]>" in text or "\r" in text or not any(character in text for character in "<&>")
    etree.SubElement(parent, "text").text = text if plain else etree.CDATA(text)


def _add_values(parent: etree._Element, **values: str) -> None:
    for name, value in values.items():
        etree.SubElement(parent, name).text = value


def read_moodle(data: bytes) -> tuple[list[Question], list[Note]]:
    """Read a file in Moodle XML.

    Returns:
        The questions of the types that the quiz supports, and a note on every other question.

    Raises:
        InterchangeError: If the file is not Moodle XML, or declares a document type.
    """
    topic, questions, notes = "", list[Question](), list[Note]()
    root = parse_xml(data)
    if root.tag != "quiz":
        raise InterchangeError(f"the file is not Moodle XML: it begins with <{root.tag}>, not with <quiz>")
    for element in root.iterfind("question"):
        kind = element.get("type", "")
        if kind == "category":
            topic = read_category(element.findtext("category/text") or "")
            continue
        name = (element.findtext("idnumber") or "").strip() or (element.findtext("name/text") or "").strip()
        name = " ".join(name.split()) or f"question {len(questions) + len(notes) + 1}"
        try:
            questions.append(_read_question(element, kind, name, topic))
        except UnreadableError as error:
            notes.append(Note(line_number(element), name, str(error), refused=True))
    return questions, notes


def _read_question(element: etree._Element, kind: str, name: str, topic: str) -> Question:
    number_as_text = kind == "shortanswer" and _has_numbers_only(element)
    if kind not in ("multichoice", "truefalse", "numerical") and not number_as_text:
        description = _OTHER_TYPES.get(kind, f"of the type {kind!r}")
        raise UnreadableError(f"it is {description}, which the import does not support")
    kind = "numerical" if number_as_text else kind
    single = kind == "truefalse" or (element.findtext("single") or "true").strip() in ("true", "1")
    changes = ["a short answer with numbers becomes a numeric question"] if number_as_text else []
    files = _read_files(element)
    stem, pictures, picture_changes = take_pictures(_read_text(element.find("questiontext")), load_from(files, _FILES))
    others = [name for name in files if not name.lower().endswith(_PICTURE_SUFFIXES)]
    changes += [f"its file {name} is left out" for name in others]
    answers = tuple(_read_answer(answer, kind) for answer in element.iterfind("answer"))
    refuse_pictures(answers)
    question = Question(
        kind="numeric" if kind == "numerical" else "single" if single else "multi",
        name=name,
        stem=stem,
        answers=answers,
        topic=topic,
        explanation=_read_text(element.find("generalfeedback")),
        hints=tuple(filter(None, map(_read_text, element.iterfind("hint")))),
        tags=tuple(text for tag in element.iterfind("tags/tag/text") if (text := (tag.text or "").strip())),
        line=line_number(element),
        pictures=tuple(pictures),
    )
    return describe_other_pictures(replace(question, changes=(*changes, *picture_changes, *_list_omissions(element))))


def _has_numbers_only(element: etree._Element) -> bool:
    texts = [(answer.findtext("text") or "").strip() for answer in element.iterfind("answer")]
    return bool(texts) and all(text == "*" or NUMBER.fullmatch(text) for text in texts) and texts != ["*"]


def _read_files(element: etree._Element) -> dict[str, bytes]:
    """Return the files of a question by name."""
    files = {}
    for file in element.iter("file"):
        name = file.get("path", "/").lstrip("/") + file.get("name", "")
        try:
            files[name] = base64.b64decode("".join((file.text or "").split()), validate=True)
        except binascii.Error:
            raise UnreadableError(f"its file {name!r} is not valid base64") from None
    return files


def _read_answer(element: etree._Element, kind: str) -> Answer:
    feedback = _read_text(element.find("feedback"))
    percent = _read_number(element.get("fraction", "0"), "fraction")
    if not -100 <= percent <= 100:
        raise UnreadableError(f"the fraction {percent:g} is not between -100 and 100")
    if kind == "multichoice":
        return Answer(_read_text(element), percent, feedback)
    text = (element.findtext("text") or "").strip()
    if kind == "truefalse":
        return Answer(text.capitalize(), percent, feedback)
    return Answer(text, percent, feedback, _read_number(element.findtext("tolerance") or "0", "tolerance"))


def _read_number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UnreadableError(f"the {name} {text!r} is not a number") from None


def _read_text(element: etree._Element | None) -> str:
    if element is None:
        return ""
    text_format = element.get("format", "html")
    if text_format not in _TEXT_FORMATS:
        raise UnreadableError(f"the text format {text_format!r} is not supported")
    text = element.find("text")
    return _TEXT_FORMATS[text_format]("" if text is None else _content(text)).strip()


def _content(text: etree._Element) -> str:
    """Return the content of a text element, also if its HTML is not escaped, as in files written by hand."""
    if not len(text):
        return text.text or ""
    parts = (etree.tostring(part, encoding="unicode", method="html") for part in text)
    return escape(text.text or "", quote=False) + "".join(parts)


def _list_omissions(element: etree._Element) -> Iterable[str]:
    """Yield a sentence about each part of a question that is not imported."""
    for name in _COMBINED_FEEDBACK:
        text = _read_text(element.find(name))
        if text not in _DEFAULT_FEEDBACK:
            yield f"its {name} is left out: {text[:60]}"
    if element.find("units/unit") is not None:
        yield "its units are left out"
