"""Questions as a CSV table, one in each row, for spreadsheet programs.

The columns are id, type, topic, question, A to J (answers), correct, tolerance, feedback A to J, feedback right,
feedback wrong, explanation, hint 1, hint 2 and tags. Reading needs only question and correct, and answers for a choice.
`correct` has the letters of the right answers, or the number; a numeric question has anticipated wrong numbers in A to
J. Texts are Markdown.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from string import ascii_uppercase

from ..formats import NUMBER, Answer, InterchangeError, Note, Question, UnreadableError
from .pictures import describe_other_pictures, load_from, refuse_pictures, take_pictures

_LETTERS = ascii_uppercase
_LONGEST_CELL = 100_000  # characters
_TOO_LONG = "field larger than field limit"  # how the csv module begins this error; its limit may be a higher one
_TYPES = ("single", "multi", "numeric")
_ALIASES = {
    "name": "id", "title": "id", "category": "topic", "stem": "question", "text": "question", "answer": "correct",
    "key": "correct", "correct answer": "correct", "right answer": "correct", "general feedback": "explanation",
    "hint": "hint 1",
}  # fmt: skip
_PLAIN = ("id", "type", "topic", "question", "correct", "tolerance", "explanation", "hint 1", "hint 2", "tags")
_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+")


def write_table(questions: Sequence[Question]) -> str:
    """Return questions as a CSV file in which spreadsheet programs find no formulas. Pictures are not written."""
    numbers = [question for question in questions if question.kind == "numeric"]
    choices = [question for question in questions if question.kind != "numeric"]
    most = max([len(question.answers) for question in choices] + [len(_wrong_numbers(q)) for q in numbers], default=0)
    letters = _LETTERS[:most]
    columns = ["id", "type", "topic", "question", *letters, "correct", "tolerance"]
    columns += [*(f"feedback {letter}" for letter in letters), "feedback right", "feedback wrong", "explanation"]
    columns += ["hint 1", "hint 2", "tags"]
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns, restval="")
    writer.writeheader()
    for question in questions:
        cells = _number_cells(question) if question.kind == "numeric" else _choice_cells(question)
        cells |= {"id": question.name, "type": question.kind, "topic": question.topic, "question": question.stem}
        cells |= {"explanation": question.explanation, "tags": "; ".join(question.tags)}
        cells |= {f"hint {number}": hint for number, hint in enumerate(question.hints, 1)}
        writer.writerow({name: _protect(text) for name, text in cells.items()})
    return "\ufeff" + buffer.getvalue()


def _choice_cells(question: Question) -> dict[str, str]:
    lettered = list(zip(_LETTERS, question.answers, strict=False))
    correct = [letter for letter, answer in lettered if answer.percent > 0]
    texts = {letter: answer.text for letter, answer in lettered}
    return (
        texts | {f"feedback {letter}": answer.feedback for letter, answer in lettered} | {"correct": ", ".join(correct)}
    )


def _wrong_numbers(question: Question) -> list[Answer]:
    return [answer for answer in question.answers if answer.percent < 100 and answer.text != "*"]


def _number_cells(question: Question) -> dict[str, str]:
    right = next(answer for answer in question.answers if answer.percent == 100)
    others = [answer.feedback for answer in question.answers if answer.text == "*"]
    cells = {"correct": right.text, "tolerance": repr(right.tolerance), "feedback right": right.feedback}
    cells["feedback wrong"] = others[0] if others else ""
    for letter, answer in zip(_LETTERS, _wrong_numbers(question), strict=False):
        cells |= {letter: answer.text, f"feedback {letter}": answer.feedback}
    return cells


def _protect(text: str) -> str:
    """Return a cell's text with an apostrophe in front if it could be a formula; `_unprotect` takes it away."""
    return "'" + text if _FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def _unprotect(text: str) -> str:
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def read_table(data: bytes) -> tuple[list[Question], list[Note]]:
    """Read a CSV file with commas, semicolons or tabs between its cells.

    Returns:
        The questions, and a note on every other row and on unknown columns.

    Raises:
        InterchangeError: If the file is not CSV in UTF-8, or lacks a column.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InterchangeError("the file is not UTF-8 text; save it as 'CSV UTF-8'") from error
    if not text.strip():
        raise InterchangeError("the file is empty")
    questions, notes = list[Question](), list[Note]()
    rows = _read_rows(text)
    _, header = next(rows)
    columns = [_column(cell) for cell in header]
    for name in ("question", "correct"):
        if name not in columns:
            raise InterchangeError(f"the first row names no column {name!r}; it has {', '.join(header)[:200]}")
    notes += [
        Note(1, "the first row", f"the column {cell!r} is not known and is left out")
        for cell, column in zip(header, columns, strict=True)
        if column is None and cell.strip()
    ]
    for number, (line, row) in enumerate(rows, 1):
        cells = {name: _unprotect(cell.strip()) for name, cell in zip(columns, row, strict=False) if name}
        name = cells.get("id") or f"question {number}"
        try:
            questions.append(_read_row(cells, name, line))
        except UnreadableError as error:
            notes.append(Note(line, name, str(error), refused=True))
    if not questions and not notes:
        raise InterchangeError("the file contains no questions")
    return questions, notes


def _read_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the first line and the cells of each row that is not empty."""
    first = text.strip().splitlines()[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    line = 1
    try:
        for row in reader:
            if max(map(len, row), default=0) > _LONGEST_CELL:
                raise csv.Error(_TOO_LONG)
            if any(cell.strip() for cell in row):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        if str(error).startswith(_TOO_LONG):
            raise InterchangeError(f"line {line} has a cell of more than {_LONGEST_CELL:,} characters") from error
        raise InterchangeError(f"the file is not CSV: {error}, in line {line}") from error


def _column(cell: str) -> str | None:
    """Return the name of a column by its heading, or None."""
    name = " ".join(cell.lower().split())
    name = _ALIASES.get(name, name)
    if name in (*_PLAIN, "feedback right", "feedback wrong"):
        return name
    match = re.fullmatch(r"(feedback )?(?:(?:option|choice|answer) )?([a-z]|[1-9]|1\d|2[0-6])", name)
    if not match:
        return None
    letter = match[2].upper() if match[2].isalpha() else _LETTERS[int(match[2]) - 1]
    return f"feedback {letter}" if match[1] else letter


def _read_row(cells: Mapping[str, str], name: str, line: int) -> Question:
    kind, correct = cells.get("type", "").lower(), cells.get("correct", "")
    if kind not in (*_TYPES, ""):
        raise UnreadableError(f"its type {kind!r} is none of {', '.join(_TYPES)}")
    if not correct:
        raise UnreadableError("the cell 'correct' is empty")
    letters = [letter for letter in _LETTERS if cells.get(letter)]
    changes: list[str] = []
    if kind == "numeric" or (not kind and not letters):
        kind, answers = "numeric", _read_numbers(cells, letters, changes)
    else:
        right = _read_correct(cells, letters, correct)
        if kind == "single" and len(right) > 1:
            raise UnreadableError(f"a single-choice question has one correct answer, not {len(right)}")
        kind = kind or ("single" if len(right) == 1 else "multi")
        answers = tuple(
            Answer(cells[letter], 100.0 if letter in right else 0.0, cells.get(f"feedback {letter}", ""))
            for letter in letters
        )
    stem, pictures, picture_changes = take_pictures(cells.get("question", ""), load_from({}))
    refuse_pictures(answers)
    question = Question(
        kind=kind,
        name=name,
        stem=stem,
        answers=answers,
        topic=" ".join(cells.get("topic", "").split()),
        explanation=cells.get("explanation", ""),
        hints=tuple(filter(None, (cells.get("hint 1", ""), cells.get("hint 2", "")))),
        tags=tuple(filter(None, (tag.strip() for tag in cells.get("tags", "").split(";")))),
        line=line,
        pictures=tuple(pictures),
        changes=(*changes, *picture_changes),
    )
    return describe_other_pictures(question)


def _read_correct(cells: Mapping[str, str], letters: Iterable[str], correct: str) -> set[str]:
    """Return the letters of the correct answers, which may be given as letters, as numbers or by the text of one."""
    by_text = [letter for letter in letters if cells[letter] == correct]
    parts = re.split(r"[\s,;/&+]+", correct.strip().upper())
    named = {_LETTERS[int(part) - 1] if re.fullmatch(r"[1-9]|1\d|2[0-6]", part) else part for part in parts}
    if len(by_text) == 1 and not named <= set(_LETTERS):
        return set(by_text)
    for letter in sorted(named - set(letters)):
        raise UnreadableError(f"the correct answer {letter!r} is none of the answers {', '.join(letters) or '(none)'}")
    return named


def _read_numbers(cells: Mapping[str, str], letters: Iterable[str], changes: list[str]) -> tuple[Answer, ...]:
    number = _read_number(cells["correct"], changes)
    tolerance = float(_read_number(cells.get("tolerance") or "0", changes))
    wrong = [(letter, _read_number(cells[letter], changes)) for letter in letters]
    return (
        Answer(number, 100, cells.get("feedback right", ""), tolerance),
        *(Answer(value, 0, cells.get(f"feedback {letter}", ""), tolerance) for letter, value in wrong),
        Answer("*", 0, cells.get("feedback wrong", "")),
    )


def _read_number(text: str, changes: list[str]) -> str:
    if NUMBER.fullmatch(text):
        return text
    if not _COMMA_NUMBER.fullmatch(text):
        raise UnreadableError(f"{text!r} is not a number, and there are no answers to choose from")
    if re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", text):
        raise UnreadableError(f"{text!r} can be read in two ways; write it without a comma")
    point = text.replace(",", ".")
    changes.append(f"the number {text} is read as {point}")
    return point
