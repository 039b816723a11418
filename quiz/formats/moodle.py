"""Moodle XML: https://docs.moodle.org/en/Moodle_XML_format.

Files are read without document types, external entities or network access.
"""

from collections.abc import Callable, Iterable
from typing import Any

from lxml import etree

from ..bank import HINT_COST
from ..formats import Answer, InterchangeError, Note, Question, UnreadableError, format_category, read_category
from .markup import auto_format_to_markdown, bank_to_moodle, html_to_markdown, moodle_to_bank

_TEXT_FORMATS: dict[str, Callable[[str], str]] = {
    "markdown": moodle_to_bank,
    "html": html_to_markdown,
    "moodle_auto_format": auto_format_to_markdown,
    "plain_text": lambda text: text,
}
_OTHER_TYPES = {
    "essay": "an essay", "matching": "a matching question", "shortanswer": "a short answer", "cloze": "a cloze text",
    "description": "a text without a question", "calculated": "a calculated question",
}  # fmt: skip
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
    _add_markdown(element, "questiontext", question.stem)
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
        The questions of the types that the quiz supports, and a note on each part that is not imported.

    Raises:
        InterchangeError: If the file is not Moodle XML, or declares a document type.
    """
    topic, questions, notes = "", list[Question](), list[Note]()
    for element in _parse(data).iterfind("question"):
        kind = element.get("type", "")
        if kind == "category":
            topic = read_category(element.findtext("category/text") or "")
            continue
        name = (element.findtext("idnumber") or "").strip() or (element.findtext("name/text") or "").strip()
        name = " ".join(name.split()) or f"question {len(questions) + len(notes) + 1}"
        line = _line_number(element)
        try:
            questions.append(_read_question(element, kind, name, topic))
        except UnreadableError as error:
            notes.append(Note(line, name, str(error), refused=True))
        else:
            notes += [Note(line, name, text) for text in _list_omissions(element)]
    return questions, notes


def _parse(data: bytes) -> etree._Element:
    if not data.strip():
        raise InterchangeError("the file is empty")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise InterchangeError(f"the file is not XML: {error.msg}") from error
    # Moodle never writes a document type, and entities defined in one can exhaust memory or read local files.
    if root.getroottree().docinfo.internalDTD is not None:
        raise InterchangeError("the file declares a document type (DOCTYPE), which Moodle's exports never do")
    if root.tag != "quiz":
        raise InterchangeError(f"the file is not Moodle XML: it begins with <{root.tag}>, not with <quiz>")
    return root


def _read_question(element: etree._Element, kind: str, name: str, topic: str) -> Question:
    if kind not in ("multichoice", "truefalse", "numerical"):
        description = _OTHER_TYPES.get(kind, f"of the type {kind!r}")
        raise UnreadableError(f"it is {description}, which this quiz does not support")
    single = kind == "truefalse" or (element.findtext("single") or "true").strip() in ("true", "1")
    return Question(
        kind="numeric" if kind == "numerical" else "single" if single else "multi",
        name=name,
        stem=_read_text(element.find("questiontext")),
        answers=tuple(_read_answer(answer, kind) for answer in element.iterfind("answer")),
        topic=topic,
        explanation=_read_text(element.find("generalfeedback")),
        hints=tuple(filter(None, map(_read_text, element.iterfind("hint")))),
        tags=tuple(text for tag in element.iterfind("tags/tag/text") if (text := (tag.text or "").strip())),
        line=_line_number(element),
    )


def _line_number(element: etree._Element) -> int:
    line: Any = element.sourceline
    return int(line or 0)


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
    return _TEXT_FORMATS[text_format](element.findtext("text") or "").strip()


def _list_omissions(element: etree._Element) -> Iterable[str]:
    """Yield a sentence about each part of a question that is not imported."""
    if next(element.iter("file"), None) is not None:
        yield "its pictures and files are left out"
    for name in _COMBINED_FEEDBACK:
        text = _read_text(element.find(name))
        if text not in _DEFAULT_FEEDBACK:
            yield f"its {name} is left out: {text[:60]}"
    if element.find("units/unit") is not None:
        yield "its units are left out"
