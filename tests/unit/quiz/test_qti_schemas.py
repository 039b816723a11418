"""Exports to QTI have the structure of the specification: see the schemas in tests/data, which are our own."""

import io
import zipfile
from collections.abc import Callable, Sequence

import pytest
from lxml import etree

from quiz.bank import load_bank
from quiz.formats import Answer, Question
from quiz.formats.convert import to_question
from quiz.formats.qti12 import write_qti12
from quiz.formats.qti21 import write_qti21
from tests.conftest import REPOSITORY

BANK = load_bank()
EXPORTED = [item for item in BANK.items if not (item.arrangement or item.sliders)]
WRITERS: dict[str, Callable[[Sequence[Question]], bytes]] = {"qti12": write_qti12, "qti21": write_qti21}
RICH = """# Heading

A [link](https://a.org/b?c=d&e "with a title"), `code`, **bold *and italic***, a line\\
break, $a<b$, ![a picture](https://a.org/b.png "title") and <b>HTML</b>.

> A quotation
>
> - with a list

---

3. three
4. four

   - nested

| a | b |
|:-:|--:|
| 1 | 2 |

```python
print(1 < 2)
```

| only | a header |
|---|---|
"""


def find_violations(kind: str, questions: Sequence[Question]) -> list[str]:
    """Return what the schemas refuse in the export of questions."""
    schemas = {name: etree.RelaxNG(file=str(REPOSITORY / f"tests/data/{name}.rng")) for name in ("imsmanifest", kind)}
    violations = []
    with zipfile.ZipFile(io.BytesIO(WRITERS[kind](questions))) as archive:
        for name in archive.namelist():
            if name.endswith(".xml"):
                schema = schemas["imsmanifest" if name == "imsmanifest.xml" else kind]
                if not schema.validate(etree.fromstring(archive.read(name))):
                    violations += [f"{name}: {error.line}: {error.message}" for error in schema.error_log]
    return violations


@pytest.mark.parametrize("kind", WRITERS)
def test_the_export_of_the_whole_bank_is_valid(kind: str) -> None:
    assert len(EXPORTED) > 80
    assert find_violations(kind, [to_question(item, BANK.folder) for item in EXPORTED]) == []


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("question_type", ["single", "multi", "numeric"])
def test_whatever_markdown_can_write_is_valid(kind: str, question_type: str) -> None:
    numbers = (Answer("0.5", 100, RICH, 0.01), Answer("2", 0, RICH), Answer("*", 0, RICH))
    share = 50 if question_type == "multi" else 100
    line = 'A `code`, ![b](c.png "d") and [e](https://f.org "g")'
    options = (Answer(line, share, RICH), Answer("b", 100 - share, ""), Answer("c", -100, RICH))
    answers = numbers if question_type == "numeric" else options
    question = Question(question_type, "a & <b>", RICH, answers, "topic: x", RICH, tags=("a tag",))
    bare = Question(question_type, "bare", "Which?", tuple(Answer(answer.text, answer.percent) for answer in answers))
    assert find_violations(kind, [question, bare]) == []


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("qti12", b'rcardinality="Single"', b""),
        ("qti12", b'continue="Yes"', b'continue="yes"'),
        ("qti21", b'shuffle="true"', b'shuffle="perhaps"'),
        ("qti21", b"<correctResponse>", b"<correctResponse/><correctResponse>"),
    ],
)
def test_the_schemas_refuse_what_the_specification_does_not_allow(kind: str, before: bytes, after: bytes) -> None:
    content = WRITERS[kind]([to_question(EXPORTED[0], BANK.folder)])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = archive.read("quiz.xml" if kind == "qti12" else "item1.xml")
    assert before in text
    schema = etree.RelaxNG(file=str(REPOSITORY / f"tests/data/{kind}.rng"))
    assert schema.validate(etree.fromstring(text))
    assert not schema.validate(etree.fromstring(text.replace(before, after)))
