"""Moodle XML: https://docs.moodle.org/en/Moodle_XML_format. Needs lxml.

Files from elsewhere are read without document types, entities or network.
"""

from collections.abc import Callable, Iterable
from typing import Any

from lxml import etree

from .markup import auto_to_markdown, from_moodle, html_to_markdown, to_moodle
from .question import Answer, InterchangeError, Note, Question, path_topic, topic_path

_READERS: dict[str, Callable[[str], str]] = {
    "markdown": from_moodle,
    "html": html_to_markdown,
    "moodle_auto_format": auto_to_markdown,
    "plain_text": lambda text: text,
}
_KINDS = {
    "essay": "an essay", "matching": "a matching question", "shortanswer": "a short answer", "cloze": "a cloze text",
    "description": "a text without a question", "calculated": "a calculated question",
}  # fmt: skip
_USUAL_FEEDBACK = {  # what Moodle itself writes into new questions
    "", "Your answer is correct.", "Your answer is partially correct.", "Your answer is incorrect.",
}  # fmt: skip


class _UnreadableError(ValueError):
    """A question cannot be read, with the reason."""


def write_moodle(questions: Iterable[Question]) -> bytes:
    """Return a file of Moodle XML in UTF-8, a category before each run of questions of a topic.

    Raises:
        InterchangeError: A text holds a character that XML cannot.
    """
    root = etree.Element("quiz")
    topic = None
    for question in questions:
        if question.topic != topic:
            topic = question.topic
            _text(etree.SubElement(etree.SubElement(root, "question", type="category"), "category"), topic_path(topic))
        try:
            _write(root, question)
        except ValueError as error:
            raise InterchangeError(f"item {question.name}: {error}") from error
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _write(root: etree._Element, question: Question) -> None:
    numeric = question.kind == "numeric"
    element = etree.SubElement(root, "question", type="numerical" if numeric else "multichoice")
    _text(etree.SubElement(element, "name"), question.name)
    _markdown(element, "questiontext", question.stem)
    _markdown(element, "generalfeedback", question.explanation)
    _values(element, defaultgrade="1", penalty="0.3333333", hidden="0", idnumber=question.name)
    if not numeric:
        single = "true" if question.kind == "single" else "false"
        _values(element, single=single, shuffleanswers="true", answernumbering="ABCD")
        for name in ("correctfeedback", "partiallycorrectfeedback", "incorrectfeedback"):
            _markdown(element, name, "")
    for answer in question.answers:
        _write_answer(element, answer, numeric)
    if numeric:
        _values(element, unitgradingtype="0", unitpenalty="0.1", showunits="3", unitsleft="0")
    for hint in question.hints:
        _markdown(element, "hint", hint)
    if question.tags:
        tags = etree.SubElement(element, "tags")
        for tag in question.tags:
            _text(etree.SubElement(tags, "tag"), tag)


def _write_answer(element: etree._Element, answer: Answer, numeric: bool) -> None:
    fraction = f"{answer.percent:.5f}".rstrip("0").rstrip(".")
    if numeric:
        written = etree.SubElement(element, "answer", fraction=fraction, format="moodle_auto_format")
        _text(written, answer.text)
        _values(written, tolerance=repr(answer.tolerance))
    else:
        written = _markdown(element, "answer", answer.text)
        written.set("fraction", fraction)
    _markdown(written, "feedback", answer.feedback)


def _markdown(element: etree._Element, name: str, markdown: str) -> etree._Element:
    written = etree.SubElement(element, name, format="markdown")
    _text(written, to_moodle(markdown))
    return written


def _text(element: etree._Element, text: str) -> None:
    plain = "]]>" in text or "\r" in text or not any(mark in text for mark in "<&>")
    etree.SubElement(element, "text").text = text if plain else etree.CDATA(text)


def _values(element: etree._Element, **values: str) -> None:
    for name, value in values.items():
        etree.SubElement(element, name).text = value


def read_moodle(data: bytes) -> tuple[list[Question], list[Note]]:
    """Return the questions of a file that the quiz has a kind for, and a note on each other one.

    Raises:
        InterchangeError: It is no Moodle XML, or holds what such a file has no need of.
    """
    topic, questions, notes = "", list[Question](), list[Note]()
    for element in _root(data).iterfind("question"):
        kind = element.get("type", "")
        if kind == "category":
            topic = path_topic(element.findtext("category/text") or "")
            continue
        name = (element.findtext("idnumber") or "").strip() or (element.findtext("name/text") or "").strip()
        name, line = " ".join(name.split()) or f"question {len(questions) + len(notes) + 1}", _line(element)
        try:
            questions.append(_read(element, kind, name, topic))
        except _UnreadableError as error:
            notes.append(Note(line, name, str(error), refused=True))
        else:
            notes += [Note(line, name, text) for text in _unread(element)]
    return questions, notes


def _root(data: bytes) -> etree._Element:
    if not data.strip():
        raise InterchangeError("the file is empty")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise InterchangeError(f"it is not XML: {error.msg}") from error
    # Neither of these is in any export of Moodle; both are how files attack the program that reads them.
    if root.getroottree().docinfo.internalDTD is not None:
        raise InterchangeError("it declares a document type (DOCTYPE), which no export of Moodle does")
    if root.tag != "quiz":
        raise InterchangeError(f"it is no Moodle XML: it begins with <{root.tag}>, not with <quiz>")
    return root


def _read(element: etree._Element, kind: str, name: str, topic: str) -> Question:
    if kind not in ("multichoice", "truefalse", "numerical"):
        raise _UnreadableError(f"it is {_KINDS.get(kind, f'of the type {kind!r}')}, which this quiz does not have")
    single = kind == "truefalse" or (element.findtext("single") or "true").strip() in ("true", "1")
    answers = tuple(_read_answer(answer, kind) for answer in element.iterfind("answer"))
    return Question(
        kind="numeric" if kind == "numerical" else "single" if single else "multi",
        name=name,
        stem=_read_text(element.find("questiontext")),
        answers=answers,
        topic=topic,
        explanation=_read_text(element.find("generalfeedback")),
        hints=tuple(filter(None, map(_read_text, element.iterfind("hint")))),
        tags=tuple(text for tag in element.iterfind("tags/tag/text") if (text := (tag.text or "").strip())),
        line=_line(element),
    )


def _line(element: etree._Element) -> int:
    line: Any = element.sourceline
    return int(line or 0)


def _read_answer(element: etree._Element, kind: str) -> Answer:
    feedback = _read_text(element.find("feedback"))
    percent = _read_number(element.get("fraction", "0"), "the fraction")
    if not -100 <= percent <= 100:
        raise _UnreadableError(f"the fraction {percent:g} does not lie between -100 and 100")
    if kind == "multichoice":
        return Answer(_read_text(element), percent, feedback)
    text = (element.findtext("text") or "").strip()
    if kind == "truefalse":
        return Answer(text.capitalize(), percent, feedback)
    return Answer(text, percent, feedback, _read_number(element.findtext("tolerance") or "0", "the tolerance"))


def _read_number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise _UnreadableError(f"{what} {text!r} is no number") from None


def _read_text(element: etree._Element | None) -> str:
    if element is None:
        return ""
    kind = element.get("format", "html")
    if kind not in _READERS:
        raise _UnreadableError(f"the text format {kind!r} is not known here")
    return _READERS[kind](element.findtext("text") or "").strip()


def _unread(element: etree._Element) -> Iterable[str]:
    """Yield what a question holds beyond what was read."""
    if next(element.iter("file"), None) is not None:
        yield "its pictures and files are left out"
    for name in ("correctfeedback", "partiallycorrectfeedback", "incorrectfeedback"):
        text = _read_text(element.find(name))
        if text not in _USUAL_FEEDBACK:
            yield f"its {name} is left out: {text[:60]}"
    if element.find("units/unit") is not None:
        yield "its units are left out"
