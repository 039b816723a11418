r"""QTI 1.2 in the form that Canvas imports and exports: https://www.imsglobal.org/question/index.html.

An archive has a manifest, one file with all items, and the pictures. Texts are HTML with formulas as `\(...\)`.
Topics and tags are metadata, which Canvas ignores.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from lxml import etree

from ..formats import NUMBER, Answer, InterchangeError, Note, Question, UnreadableError
from .archives import Resource, add, all_text, line_number, local_name, new_root, write_archive, write_manifest
from .markup import html_to_markdown, markdown_to_html
from .pictures import PICTURE_FOLDER, describe_other_pictures, load_from, picture_html, refuse_pictures, take_pictures

FILE_BASE = "$IMS-CC-FILEBASE$/"
_NAMESPACE = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
_CANVAS_TYPES = {
    "single": "multiple_choice_question", "multi": "multiple_answers_question", "numeric": "numerical_question",
}  # fmt: skip
_OTHER_TYPES = {
    "essay_question": "an essay", "short_answer_question": "a short answer", "matching_question": "a matching question",
    "fill_in_multiple_blanks_question": "a text with gaps", "multiple_dropdowns_question": "a text with gaps",
    "text_only_question": "a text without a question", "calculated_question": "a calculated question",
    "file_upload_question": "a file upload",
}  # fmt: skip
_RIGHT, _WRONG, _GENERAL = "correct_fb", "general_incorrect_fb", "general_fb"


def write_qti12(questions: Sequence[Question]) -> bytes:
    """Return questions as an archive in QTI 1.2. Hints are not written.

    Raises:
        InterchangeError: If a text contains a character that XML does not allow.
    """
    root = new_root("questestinterop", _NAMESPACE)
    assessment = add(root, "assessment", ident="quiz", title="Quiz")
    section = add(assessment, "section", ident="root_section")
    pictures: dict[str, bytes] = {}
    for question in questions:
        try:
            _add_item(section, question)
        except ValueError as error:
            raise InterchangeError(f"item {question.name}: {error}") from error
        pictures |= {f"{PICTURE_FOLDER}/{picture.name}": picture.data for picture in question.pictures}
    content = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    resources = [Resource("imsqti_xmlv1p2", ("quiz.xml",)), *(Resource("webcontent", (name,)) for name in pictures)]
    files = {"imsmanifest.xml": write_manifest(resources, "IMS Content", "1.1.3"), "quiz.xml": content}
    return write_archive(files | pictures)


def _add_item(section: etree._Element, question: Question) -> None:
    item = add(section, "item", ident=question.name, title=question.name)
    fields = add(add(item, "itemmetadata"), "qtimetadata")
    metadata = [("question_type", _CANVAS_TYPES[question.kind]), ("points_possible", "1.0"), ("topic", question.topic)]
    for label, entry in [*metadata, *(("tag", tag) for tag in question.tags)]:
        field = add(fields, "qtimetadatafield")
        add(field, "fieldlabel").text = label
        add(field, "fieldentry").text = entry
    presentation = add(item, "presentation")
    _add_text(presentation, markdown_to_html(question.stem) + picture_html(question, f"{FILE_BASE}{PICTURE_FOLDER}/"))
    processing = etree.Element("resprocessing")
    add(add(processing, "outcomes"), "decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal")
    if question.explanation:
        add(add(_add_condition(processing), "conditionvar"), "other")
        _show(processing[-1], _GENERAL)
    feedback = _add_numbers if question.kind == "numeric" else _add_options
    texts = {_GENERAL: question.explanation} | feedback(presentation, processing, question)
    item.append(processing)
    for name, text in texts.items():
        if text:
            _add_text(add(add(item, "itemfeedback", ident=name), "flow_mat"), markdown_to_html(text))


def _add_text(parent: etree._Element, html: str) -> None:
    add(add(parent, "material"), "mattext", texttype="text/html").text = html


def _add_condition(processing: etree._Element, go_on: bool = True) -> etree._Element:
    return add(processing, "respcondition", **{"continue": "Yes" if go_on else "No"})


def _show(condition: etree._Element, name: str) -> None:
    add(condition, "displayfeedback", feedbacktype="Response", linkrefid=name)


def _add_options(presentation: etree._Element, processing: etree._Element, question: Question) -> dict[str, str]:
    cardinality = "Multiple" if question.kind == "multi" else "Single"
    response = add(presentation, "response_lid", ident="response1", rcardinality=cardinality)
    choices = add(response, "render_choice")
    options = {f"option{number}": answer for number, answer in enumerate(question.answers, 1)}
    for ident, answer in options.items():
        _add_text(add(choices, "response_label", ident=ident), markdown_to_html(answer.text, inline=True))
        if answer.feedback:
            add(add(_add_condition(processing), "conditionvar"), "varequal", respident="response1").text = ident
            _show(processing[-1], f"{ident}_fb")
    condition = _add_condition(processing, go_on=False)
    variables = add(condition, "conditionvar")
    if question.kind == "multi":
        every = add(variables, "and")
        for ident, answer in options.items():
            parent = every if answer.percent > 0 else add(every, "not")
            add(parent, "varequal", respident="response1").text = ident
    else:
        correct = next(ident for ident, answer in options.items() if answer.percent == 100)
        add(variables, "varequal", respident="response1").text = correct
    add(condition, "setvar", action="Set", varname="SCORE").text = "100"
    return {f"{ident}_fb": answer.feedback for ident, answer in options.items()}


def _add_numbers(presentation: etree._Element, processing: etree._Element, question: Question) -> dict[str, str]:
    response = add(presentation, "response_str", ident="response1", rcardinality="Single")
    add(add(response, "render_fib", fibtype="Decimal"), "response_label", ident="answer1")
    texts: dict[str, str] = {}
    for number, answer in enumerate(question.answers):
        condition = _add_condition(processing)
        variables = add(condition, "conditionvar")
        if answer.text == "*":
            add(variables, "other")
            name = _WRONG
        else:
            either = add(variables, "or")
            value, tolerance = Decimal(answer.text), Decimal(repr(answer.tolerance))
            add(either, "varequal", respident="response1").text = answer.text
            between = add(either, "and")
            add(between, "vargte", respident="response1").text = str(value - tolerance)
            add(between, "varlte", respident="response1").text = str(value + tolerance)
            name = _RIGHT if answer.percent == 100 else f"wrong{number}_fb"
        if answer.percent == 100:
            add(condition, "setvar", action="Set", varname="SCORE").text = "100"
        if answer.feedback:
            _show(condition, name)
            texts[name] = answer.feedback
    return texts


def read_qti12(root: etree._Element, files: Mapping[str, bytes], file: str) -> tuple[list[Question], list[Note]]:
    """Read the items below an element in QTI 1.2.

    Args:
        root: The root of the file.
        files: Content of the files beside it, by name.
        file: Name of the file within an archive, or nothing.

    Returns:
        The questions of the types that the quiz supports, and a note on every other item.
    """
    questions, notes = list[Question](), list[Note]()
    for element in _find(root, "item"):
        name = element.get("title") or element.get("ident") or f"question {len(questions) + len(notes) + 1}"
        name = " ".join(name.split())
        try:
            question = _read_item(element, files)
            questions.append(replace(question, name=name, line=line_number(element), file=file))
        except UnreadableError as error:
            notes.append(Note(line_number(element), name, str(error), refused=True, file=file))
    return questions, notes


def _find(parent: etree._Element, name: str) -> Iterator[etree._Element]:
    return (element for element in parent.iter() if local_name(element) == name)


def _read_item(item: etree._Element, files: Mapping[str, bytes]) -> Question:
    fields = [tuple(map(all_text, field))[:2] for field in _find(item, "qtimetadatafield")]
    metadata = {pair[0]: pair[1] for pair in fields if len(pair) == 2}
    kind, response = _find_kind(item, metadata.get("question_type", ""))
    presentation = next(_find(item, "presentation"))
    stem, pictures, changes = take_pictures(_read_stem(presentation), load_from(files, FILE_BASE))
    conditions = [_read_condition(element) for element in _find(item, "respcondition")]
    feedback = {element.get("ident", ""): _read_material(element) for element in _find(item, "itemfeedback")}
    if kind == "numeric":
        answers = _read_numbers(conditions, feedback)
    else:
        answers = _read_options(kind, response, conditions, feedback)
        refuse_pictures(answers)
        for name in (_RIGHT, _WRONG):
            if feedback.get(name):
                changes.append(f"its {name} is left out: {feedback[name][:60]}")
    return describe_other_pictures(
        Question(
            kind=kind,
            name="",
            stem=stem,
            answers=answers,
            topic=metadata.get("topic", ""),
            explanation=feedback.get(_GENERAL, ""),
            tags=tuple(pair[1] for pair in fields if len(pair) == 2 and pair[0] == "tag"),
            pictures=tuple(pictures),
            changes=tuple(changes),
        )
    )


def _find_kind(item: etree._Element, canvas_type: str) -> tuple[str, etree._Element]:
    """Return the type of a question, and the element with its possible responses."""
    if canvas_type in _OTHER_TYPES:
        numbers = [text.strip() for element in _find(item, "varequal") if (text := element.text or "")]
        if canvas_type != "short_answer_question" or not all(map(NUMBER.fullmatch, numbers)):
            raise UnreadableError(f"it is {_OTHER_TYPES[canvas_type]}, which the import does not support")
    responses = [element for element in item.iter() if local_name(element).startswith("response_")]
    responses = [element for element in responses if local_name(element) != "response_label"]
    if len(responses) != 1:
        description = (
            "a question with several responses, such as matching" if responses else "a text without a question"
        )
        raise UnreadableError(f"it is {description}, which the import does not support")
    (response,) = responses
    cardinality = response.get("rcardinality", "Single")
    if local_name(response) == "response_lid" and next(_find(response, "render_choice"), None) is not None:
        if cardinality == "Ordered":
            raise UnreadableError("it is an ordering question, which the import does not support")
        return "multi" if cardinality == "Multiple" else "single", response
    if local_name(response) in ("response_str", "response_num") and cardinality == "Single":
        limits = [element for name in ("varequal", "vargte", "varlte") for element in _find(item, name)]
        if limits and all(NUMBER.fullmatch((element.text or "").strip()) for element in limits):
            return "numeric", response
        raise UnreadableError(f"it is {'a short answer' if limits else 'an essay'}, which the import does not support")
    raise UnreadableError(f"its responses are of the type {local_name(response)!r}, which the import does not support")


def _read_stem(presentation: etree._Element) -> str:
    """Return the texts of a presentation before and after its responses."""
    materials = [
        element
        for element in _find(presentation, "material")
        if not any(local_name(parent).startswith(("response_", "render_")) for parent in element.iterancestors())
    ]
    return "\n\n".join(filter(None, map(_read_material, materials)))


def _read_material(parent: etree._Element) -> str:
    """Return the Markdown of the texts below an element; a `matimage` becomes a picture."""
    parts = []
    for element in parent.iter():
        if local_name(element) == "mattext":
            text = all_text(element)
            is_html = element.get("texttype", "text/plain") == "text/html"
            parts.append(html_to_markdown(text if is_html else _escape_html(text)))
        elif local_name(element) == "matimage":
            parts.append(f"![{element.get('label', '')}]({element.get('uri', '')})")
    return "\n\n".join(filter(None, parts))


def _escape_html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


@dataclass(frozen=True)
class _Condition:
    """A condition of a response processing.

    Attributes:
        values: The responses that it asks for.
        excluded: The responses that it asks not to be there.
        limits: Smallest and largest number, if it asks for a range.
        other: Whether it has no condition.
        score: The score that it sets or adds, or None.
        shown: Names of the feedback that it shows.
    """

    values: tuple[str, ...]
    excluded: tuple[str, ...]
    limits: tuple[str, str] | None
    other: bool
    score: float | None
    shown: tuple[str, ...]


def _read_condition(element: etree._Element) -> _Condition:
    negated = {part for parent in _find(element, "not") for part in parent.iter()}
    equal = list(_find(element, "varequal"))
    low = [(part.text or "").strip() for name in ("vargte", "vargt") for part in _find(element, name)]
    high = [(part.text or "").strip() for name in ("varlte", "varlt") for part in _find(element, name)]
    scores = [(part.text or "").strip() for part in _find(element, "setvar")]
    try:
        score = sum(map(float, scores)) if scores else None
    except ValueError:
        raise UnreadableError(f"the score {scores[0]!r} is not a number") from None
    return _Condition(
        values=tuple((part.text or "").strip() for part in equal if part not in negated),
        excluded=tuple((part.text or "").strip() for part in equal if part in negated),
        limits=(low[0], high[0]) if low and high else None,
        other=next(_find(element, "other"), None) is not None or not (equal or low or high),
        score=score,
        shown=tuple(part.get("linkrefid", "") for part in _find(element, "displayfeedback")),
    )


def _read_options(
    kind: str, response: etree._Element, conditions: Iterable[_Condition], feedback: Mapping[str, str]
) -> tuple[Answer, ...]:
    scores: dict[str, float] = {}
    shown: dict[str, str] = {}
    for condition in conditions:
        for value in condition.values:
            if condition.score is not None and (kind == "multi" or len(condition.values) == 1):
                scores[value] = max(scores.get(value, condition.score), condition.score)
        if len(condition.values) == 1 and not condition.excluded:
            texts = (feedback.get(name, "") for name in condition.shown if name not in (_RIGHT, _WRONG, _GENERAL))
            shown.setdefault(condition.values[0], "\n\n".join(filter(None, texts)))
    best = max(scores.values(), default=0)
    labels = [(label.get("ident", ""), _read_material(label)) for label in _find(response, "response_label")]
    return tuple(
        Answer(text, 100 * max(scores.get(ident, 0), 0) / best if best > 0 else 0, shown.get(ident, ""))
        for ident, text in labels
    )


def _read_numbers(conditions: Iterable[_Condition], feedback: Mapping[str, str]) -> tuple[Answer, ...]:
    answers: list[Answer] = []
    for condition in conditions:
        names = [name for name in condition.shown if name != _GENERAL]
        text = "\n\n".join(filter(None, (feedback.get(name, "") for name in names)))
        if condition.other:
            if text:
                answers.append(Answer("*", 0, text))
            continue
        value, tolerance = _read_range(condition)
        answers.append(Answer(value, 100 if (condition.score or 0) > 0 else 0, text, tolerance))
    right = feedback.get(_RIGHT, "")
    if right and not any(answer.feedback for answer in answers if answer.percent == 100):
        answers = [replace(answer, feedback=right) if answer.percent == 100 else answer for answer in answers]
    if feedback.get(_WRONG) and not any(answer.text == "*" for answer in answers):
        answers.append(Answer("*", 0, feedback[_WRONG]))
    return tuple(answers)


def _read_range(condition: _Condition) -> tuple[str, float]:
    """Return the number and the tolerance of a condition."""
    try:
        if condition.limits is None:
            return condition.values[0], 0.0
        low, high = map(Decimal, condition.limits)
        middle = (low + high) / 2
        value = condition.values[0] if condition.values else str(middle)
        return value, float(max(high - Decimal(value), Decimal(value) - low))
    except (InvalidOperation, IndexError):
        raise UnreadableError("its numbers cannot be read") from None
