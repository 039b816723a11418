r"""QTI 2.1: https://www.imsglobal.org/question/qtiv2p1/imsqti_infov2p1.html.

An archive has a manifest, one file for each item, and the pictures. Texts are XHTML with formulas as `\(...\)`.
Topics and tags are keywords in the manifest.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lxml import etree

from ..formats import NUMBER, Answer, InterchangeError, Note, Question, UnreadableError
from .archives import (
    Resource,
    add,
    add_html,
    all_text,
    line_number,
    local_name,
    new_root,
    write_archive,
    write_manifest,
)
from .markup import html_to_markdown, markdown_to_html
from .pictures import PICTURE_FOLDER, describe_other_pictures, load_from, picture_html, refuse_pictures, take_pictures

_NAMESPACE = "http://www.imsglobal.org/xsd/imsqti_v2p1"
_TOPIC = "topic: "
_OTHER_INTERACTIONS = {
    "orderInteraction": "an ordering question", "matchInteraction": "a matching question",
    "associateInteraction": "a matching question", "gapMatchInteraction": "a matching question",
    "extendedTextInteraction": "an essay", "inlineChoiceInteraction": "a text with gaps",
    "uploadInteraction": "a file upload", "sliderInteraction": "a question with a slider",
}  # fmt: skip
_EXPLANATION = "explanation"


def write_qti21(questions: Sequence[Question]) -> bytes:
    """Return questions as an archive in QTI 2.1. Hints are not written.

    Raises:
        InterchangeError: If a text contains a character that XML does not allow.
    """
    files: dict[str, bytes] = {}
    pictures: dict[str, bytes] = {}
    resources: list[Resource] = []
    for number, question in enumerate(questions, 1):
        try:
            root = _make_item(number, question)
        except (ValueError, etree.XMLSyntaxError) as error:
            raise InterchangeError(f"item {question.name}: {error}") from error
        name = f"item{number}.xml"
        files[name] = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
        shown = {f"{PICTURE_FOLDER}/{picture.name}": picture.data for picture in question.pictures}
        keywords = (_TOPIC + question.topic, *question.tags)
        resources.append(Resource("imsqti_item_xmlv2p1", (name, *shown), keywords))
        pictures |= shown
    manifest = write_manifest(resources, "QTIv2.1 Package", "1.0.0")
    return write_archive({"imsmanifest.xml": manifest} | files | pictures)


def _make_item(number: int, question: Question) -> etree._Element:
    root = new_root(
        "assessmentItem",
        _NAMESPACE,
        identifier=f"item{number}",
        title=question.name,
        adaptive="false",
        timeDependent="false",
    )
    numeric = question.kind == "numeric"
    cardinality = "multiple" if question.kind == "multi" else "single"
    base = "float" if numeric else "identifier"
    response = add(root, "responseDeclaration", identifier="RESPONSE", cardinality=cardinality, baseType=base)
    options = {f"option{place}": answer for place, answer in enumerate(question.answers, 1)}
    correct = add(response, "correctResponse")
    for name, answer in options.items():
        if answer.percent == 100 or (question.kind == "multi" and answer.percent > 0):
            add(correct, "value").text = answer.text if numeric else name
    if question.kind == "multi":
        mapping = add(response, "mapping", lowerBound="0", upperBound="1", defaultValue="0")
        for name, answer in options.items():
            add(mapping, "mapEntry", mapKey=name, mappedValue=repr(answer.percent / 100))
    add(root, "outcomeDeclaration", identifier="SCORE", cardinality="single", baseType="float")
    add(root, "outcomeDeclaration", identifier="FEEDBACK", cardinality=cardinality, baseType="identifier")
    add(root, "outcomeDeclaration", identifier="SOLUTION", cardinality="single", baseType="identifier")
    body = add(root, "itemBody")
    add_html(body, "div", markdown_to_html(question.stem) + picture_html(question, f"{PICTURE_FOLDER}/"))
    if numeric:
        add(add(body, "p"), "textEntryInteraction", responseIdentifier="RESPONSE")
    else:
        most = "0" if question.kind == "multi" else "1"
        choices = add(body, "choiceInteraction", responseIdentifier="RESPONSE", shuffle="true", maxChoices=most)
        for name, answer in options.items():
            add_html(choices, "simpleChoice", markdown_to_html(answer.text, inline=True), identifier=name)
    _add_processing(root, question, options)
    texts = [("FEEDBACK", name, answer.feedback) for name, answer in options.items()]
    for outcome, name, text in [*texts, ("SOLUTION", _EXPLANATION, question.explanation)]:
        if text:
            html = markdown_to_html(text)
            add_html(root, "modalFeedback", html, outcomeIdentifier=outcome, identifier=name, showHide="show")
    return root


def _add_processing(root: etree._Element, question: Question, options: Mapping[str, Answer]) -> None:
    processing = add(root, "responseProcessing")
    if question.explanation:
        _set(processing, "SOLUTION", "identifier", _EXPLANATION)
    if question.kind == "numeric":
        _add_number_processing(processing, options)
        return
    if question.kind == "multi":
        score = add(processing, "setOutcomeValue", identifier="SCORE")
        add(score, "mapResponse", identifier="RESPONSE")
    else:
        branch = add(add(processing, "responseCondition"), "responseIf")
        match = add(branch, "match")
        add(match, "variable", identifier="RESPONSE")
        add(match, "correct", identifier="RESPONSE")
        _set(branch, "SCORE", "float", "1")
    add(add(processing, "setOutcomeValue", identifier="FEEDBACK"), "variable", identifier="RESPONSE")


def _add_number_processing(processing: etree._Element, options: Mapping[str, Answer]) -> None:
    condition = add(processing, "responseCondition")
    for name, answer in options.items():
        if answer.text == "*":
            branch = add(condition, "responseElse")
        else:
            branch = add(condition, "responseElseIf" if len(condition) else "responseIf")
            mode = {"toleranceMode": "absolute", "tolerance": f"{answer.tolerance!r} {answer.tolerance!r}"}
            equal = add(branch, "equal", **mode if answer.tolerance else {"toleranceMode": "exact"})
            add(equal, "variable", identifier="RESPONSE")
            add(equal, "baseValue", baseType="float").text = answer.text
            if answer.percent == 100:
                _set(branch, "SCORE", "float", "1")
        _set(branch, "FEEDBACK", "identifier", name)


def _set(parent: etree._Element, outcome: str, base: str, value: str) -> None:
    add(add(parent, "setOutcomeValue", identifier=outcome), "baseValue", baseType=base).text = value


def read_qti21(root: etree._Element, files: Mapping[str, bytes], file: str, keywords: Sequence[str]) -> Question | Note:
    """Read an item in QTI 2.1.

    Args:
        root: The root of its file.
        files: Content of the files in the same folder, by name.
        file: Name of the file within an archive, or nothing.
        keywords: Its keywords in the manifest.

    Returns:
        The question, or a note on why the quiz does not support it.
    """
    name = " ".join((root.get("title") or root.get("identifier") or "question").split())
    line = line_number(root)
    topic = next((word.removeprefix(_TOPIC) for word in keywords if word.startswith(_TOPIC)), "")
    tags = tuple(word for word in keywords if not word.startswith(_TOPIC))
    try:
        question = _read_item(root, files)
        return replace(question, name=name, line=line, file=file, topic=topic, tags=tags)
    except UnreadableError as error:
        return Note(line, name, str(error), refused=True, file=file)


def _find(parent: etree._Element, name: str) -> Iterator[etree._Element]:
    return (element for element in parent.iter() if local_name(element) == name)


def _read_item(root: etree._Element, files: Mapping[str, bytes]) -> Question:
    body = next(_find(root, "itemBody"), None)
    if body is None:
        raise UnreadableError("it has no <itemBody>, so it has no text")
    interactions = [element for element in body.iter() if local_name(element).endswith("Interaction")]
    for element in interactions:
        if description := _OTHER_INTERACTIONS.get(local_name(element)):
            raise UnreadableError(f"it is {description}, which the import does not support")
    if len(interactions) != 1:
        description = "a question with several responses" if interactions else "a text without a question"
        raise UnreadableError(f"it is {description}, which the import does not support")
    (interaction,) = interactions
    declaration = next(
        (e for e in _find(root, "responseDeclaration") if e.get("identifier") == interaction.get("responseIdentifier")),
        None,
    )
    if declaration is None:
        raise UnreadableError("it has no <responseDeclaration> for its answer")
    for unsupported, description in (("math", "a formula in MathML"), ("printedVariable", "a variable")):
        if next(_find(body, unsupported), None) is not None:
            raise UnreadableError(f"it has {description}, which this quiz cannot show")
    feedback = {
        element.get("identifier", ""): html_to_markdown(_inner_html(element))
        for element in _find(root, "modalFeedback")
    }
    if local_name(interaction) == "choiceInteraction":
        kind, answers = _read_choices(interaction, declaration, feedback)
        refuse_pictures(answers)
    elif local_name(interaction) == "textEntryInteraction":
        kind, answers = "numeric", _read_numbers(root, declaration, feedback)
    else:
        raise UnreadableError(f"it has the interaction {local_name(interaction)!r}, which the import does not support")
    stem, pictures, changes = take_pictures(html_to_markdown(_stem_html(body)), load_from(files))
    explanation = feedback.pop(_EXPLANATION, "")
    changes += [f"its feedback {name!r} is left out: {text[:60]}" for name, text in feedback.items() if text]
    question = Question(kind, "", stem, answers, explanation=explanation, pictures=tuple(pictures))
    return describe_other_pictures(replace(question, changes=tuple(changes)))


def _stem_html(body: etree._Element) -> str:
    """Return the HTML of a body, with the prompt in place of choices and a line in place of a gap."""
    body = copy.deepcopy(body)
    for element in list(body.iter()):
        name, parent = local_name(element), element.getparent()
        if parent is None or (name != "rubricBlock" and not name.endswith("Interaction")):
            continue
        prompt = next(_find(element, "prompt"), None)
        tail = element.tail or ""
        if prompt is not None:
            element.tag, element.tail = "div", tail
            element[:] = [prompt]
            prompt.tag = "div"
        else:
            rest = etree.Element("span")
            rest.text, rest.tail = "_____" if tail.strip() else "", tail
            parent.replace(element, rest)
    return _inner_html(body)


def _inner_html(element: etree._Element) -> str:
    """Return the content of an element as HTML without namespaces."""
    element = copy.deepcopy(element)
    for part in element.iter():
        part.tag = local_name(part) or "span"
    etree.cleanup_namespaces(element)
    element.tag, element.tail = "div", None
    element.attrib.clear()
    return etree.tostring(element, encoding="unicode", method="html")


def _read_choices(
    interaction: etree._Element, declaration: etree._Element, feedback: dict[str, str]
) -> tuple[str, tuple[Answer, ...]]:
    correct = {(value.text or "").strip() for value in _find(declaration, "value")}
    try:
        weights = {
            entry.get("mapKey", ""): float(entry.get("mappedValue", "0")) for entry in _find(declaration, "mapEntry")
        }
    except ValueError:
        raise UnreadableError("a value of its <mapping> is not a number") from None
    best = max(weights.values(), default=0)
    multiple = declaration.get("cardinality") == "multiple"
    answers = []
    for choice in _find(interaction, "simpleChoice"):
        name = choice.get("identifier", "")
        inline = [html_to_markdown(_inner_html(element)) for element in _find(choice, "feedbackInline")]
        for element in list(_find(choice, "feedbackInline")):
            element.tag, element.text, element[:] = "span", "", []
        if name in correct:
            percent = 100.0
        elif correct and multiple:
            percent = 0.0
        else:
            percent = 100 * max(weights.get(name, 0), 0) / best if best > 0 else 0.0
            percent = min(percent, 99.0) if correct else percent
        text = "\n\n".join(filter(None, [*inline, feedback.pop(name, "")]))
        answers.append(Answer(html_to_markdown(_inner_html(choice)), percent, text))
    return "multi" if multiple else "single", tuple(answers)


@dataclass(frozen=True)
class _Branch:
    """A branch of the response processing of a number.

    Attributes:
        value: The number that it asks for; "" for the correct response, None for any other.
        tolerance: Accepted difference.
        score: Whether it earns something.
        shown: Names of the feedback.
    """

    value: str | None
    tolerance: float
    score: bool
    shown: tuple[str, ...]


def _read_numbers(root: etree._Element, declaration: etree._Element, feedback: dict[str, str]) -> tuple[Answer, ...]:
    values = [(value.text or "").strip() for value in _find(declaration, "value")]
    values = values or [entry.get("mapKey", "") for entry in _find(declaration, "mapEntry")]
    if not values or not NUMBER.fullmatch(values[0]):
        raise UnreadableError("it is a short answer, which the import does not support")
    correct = values[0]
    answers = [Answer(correct, 100)]
    for branch in _read_branches(root, correct):
        text = "\n\n".join(filter(None, (feedback.pop(name, "") for name in branch.shown)))
        if branch.value is None:
            answers += [Answer("*", 0, text)] if text else []
        elif branch.value in ("", correct) or branch.score:
            answers[0] = Answer(branch.value or correct, 100, text, branch.tolerance)
        else:
            answers.append(Answer(branch.value, 0, text, branch.tolerance))
    return tuple(answers)


def _read_branches(root: etree._Element, correct: str) -> Iterator[_Branch]:
    for element in root.iter():
        if local_name(element) not in ("responseIf", "responseElseIf", "responseElse"):
            continue
        equal = next((part for name in ("equal", "match") for part in _find(element, name)), None)
        outcomes = [(part.get("identifier"), all_text(part)) for part in _find(element, "setOutcomeValue")]
        shown = tuple(value for name, value in outcomes if name != "SCORE")
        score = any(name == "SCORE" and value not in ("0", "0.0", "") for name, value in outcomes)
        if equal is None:
            yield _Branch(None, 0.0, score, shown)
            continue
        base = next(_find(equal, "baseValue"), None)
        value = "" if base is None else (base.text or "").strip()
        if value and not NUMBER.fullmatch(value):
            raise UnreadableError(f"{value!r} is not a number")
        yield _Branch(value, _read_tolerance(equal, value or correct), score, shown)


def _read_tolerance(equal: etree._Element, value: str) -> float:
    parts = equal.get("tolerance", "0").split() or ["0"]
    try:
        tolerance = max(map(float, parts))
        if equal.get("toleranceMode") == "relative":
            return round(abs(float(value)) * tolerance / 100, 12)
        return tolerance if equal.get("toleranceMode") == "absolute" else 0.0
    except ValueError:
        raise UnreadableError(f"the tolerance {equal.get('tolerance')!r} is not a number") from None
