"""Import of files from other programs: the structures of both formats, the notes, and hostile files."""

from pathlib import Path
from typing import Any

import pytest

from quiz import __main__
from quiz.__main__ import main
from quiz.bank import load_bank
from quiz.formats import InterchangeError, Question, UnreadableError
from quiz.formats.convert import to_bank
from quiz.formats.gift import read_gift
from quiz.formats.markup import auto_format_to_markdown, html_to_markdown
from quiz.formats.moodle import read_moodle
from quiz.lint import lint_bank

# The structures in the format's documentation, with other texts.
GIFT = r"""
// a remark, not a question
$CATEGORY: $course$/top/Natural science/Water//Ice

::Freezing::At which temperature {
  =0 °C # Yes, at sea level.
  ~-5 °C # That is colder than needed.
  ~%50%4 °C # Here it is densest.
  ####Salt lowers it.
} does water turn to ice?

::Sky:: The sky is blue by day.{T#Look up!#So it is.}

//[id:planets-2] [tag:astronomy]
[markdown]Which of these are planets? \:) \{really\} {
~%50%Mars
~%50%Venus
~%-100%The **Moon** # It circles the Earth.
}

[html]<p>How many <b>legs</b> has an insect?<br>\(n \= ?\)</p>{#6 # Six it is.}

Pi, to two places? {#3.14..3.15}

Two numbers {#
=%100%1815:0 # Good.
=%50%1815:2 # Close.
~ # No.}

Write about rivers. {}

Who wrote it? {=Ann =%80%Anna}

Match them. {=one -> eins =two -> zwei}

This is only a text.

::Broken:: Why? {=a ~b

::Worth:: Why? {~%300%a ~b}

::Not a number:: How many? {#many}

::Double:: A {=b ~c} and {=d ~e}
"""

XML = """<?xml version="1.0" encoding="UTF-8"?>
<quiz>
  <question type="category"><category><text>$module$/top/Cells</text></category></question>
  <question type="multichoice">
    <name><text>Membrane Question!</text></name>
    <questiontext format="html"><text><![CDATA[<p>What holds a <em>cell</em> of \\(10^{-5}\\) m together? </p>
      <pre>a < b
c</pre>]]></text><file name="x.png" encoding="base64">aGk=</file></questiontext>
    <generalfeedback><text>&lt;p&gt;See chapter 2.&lt;/p&gt;</text></generalfeedback>
    <single>true</single><shuffleanswers>1</shuffleanswers>
    <correctfeedback><text>Your answer is correct.</text></correctfeedback>
    <incorrectfeedback><text>Read it again</text></incorrectfeedback>
    <answer fraction="100"><text>The membrane</text><feedback><text>Right!</text></feedback></answer>
    <answer fraction="0"><text>The nucleus</text><feedback><text></text></feedback></answer>
    <answer fraction="33.33333" format="plain_text"><text>The wall, 2*3*4</text></answer>
    <hint format="html"><text>It is thin.</text></hint>
    <tags><tag><text>week 3</text></tag></tags>
  </question>
  <question type="truefalse">
    <name><text>tf</text></name>
    <questiontext format="moodle_auto_format"><text>Cells divide.
Often.</text></questiontext>
    <answer fraction="100"><text>true</text><feedback><text>They do.</text></feedback></answer>
    <answer fraction="0"><text>false</text></answer>
  </question>
  <question type="numerical">
    <name><text>chromosomes</text></name>
    <questiontext format="markdown"><text>How many, of \\\\(2n\\\\)?</text></questiontext>
    <answer fraction="100"><text>46</text><tolerance>0</tolerance><feedback><text>23 pairs.</text></feedback></answer>
    <answer fraction="0"><text>23</text><tolerance>0</tolerance><feedback><text>Pairs!</text></feedback></answer>
    <answer fraction="0"><text>*</text><tolerance>0</tolerance><feedback><text>No.</text></feedback></answer>
    <units><unit><multiplier>1</multiplier><unit_name>pieces</unit_name></unit></units>
  </question>
  <question type="multichoice">
    <name><text>tf</text></name>
    <questiontext format="html"><text>Which are organelles?</text></questiontext>
    <single>false</single>
    <answer fraction="50"><text>Ribosome</text></answer>
    <answer fraction="50"><text>Vacuole</text></answer>
    <answer fraction="-50"><text>Virus</text></answer>
  </question>
  <question type="essay"><name><text>Free</text></name><questiontext><text>Write.</text></questiontext></question>
  <question type="multichoice"><name><text>Odd</text></name><questiontext><text>Q</text></questiontext>
    <answer fraction="abc"><text>A</text></answer></question>
  <question type="multichoice"><name><text>Keyless</text></name><questiontext><text>Q</text></questiontext>
    <answer fraction="0"><text>A</text></answer><answer fraction="0"><text>B</text></answer></question>
</quiz>
"""


def imported(path: Path, file_format: str, text: str | bytes) -> tuple[dict[str, Any], str]:
    """Import a text by the command line; return the items by id."""
    path.with_name("in").write_bytes(text.encode() if isinstance(text, str) else text)
    main(["import", "--format", file_format, str(path.with_name("in")), "-o", str(path)])
    return {item.id: item for item in load_bank(path).items} if path.exists() else {}


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    return tmp_path / "bank.json"


def test_gift_of_another_program_is_read(bank: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items = imported(bank, "gift", GIFT)
    output = capsys.readouterr().out
    freezing = items["freezing"]
    assert freezing.topic == "Water/Ice"
    assert freezing.stem == "At which temperature \\_\\_\\_\\_\\_ does water turn to ice?"
    assert [(option.text, option.correct, option.feedback) for option in freezing.options] == [
        ("0 °C", True, "Yes, at sea level."),
        ("-5 °C", False, "That is colder than needed."),
        ("4 °C", False, "Here it is densest."),
    ]
    assert freezing.explanation == "Salt lowers it."
    assert [(option.text, option.correct, option.feedback) for option in items["sky"].options] == [
        ("True", True, "So it is."),
        ("False", False, "Look up!"),
    ]
    planets = items["planets-2"]
    assert planets.type == "multi"
    assert planets.stem == "Which of these are planets? :) {really}"
    assert [option.correct for option in planets.options] == [True, True, False]
    insect = items["question-4"]
    assert insect.stem == "How many **legs** has an insect?\n$n = ?$"
    assert (insect.numeric.value, insect.numeric.right) == (6, "Six it is.")
    pi = items["question-5"].numeric
    assert (pi.value, pi.tolerance) == (3.145, 0.005)
    assert items["question-6"].numeric.wrong == "No."
    assert "these tags are left out: astronomy" in output


@pytest.mark.parametrize(
    "fragment",
    [
        "line 5, Freezing: changed: some answers are worth part of the mark; they count as wrong in the quiz",
        "line 30, question 7: refused: it is an essay, which the import does not support",
        "line 32, question 8: refused: it is a short answer, which the import does not support",
        "line 34, question 9: refused: it is a matching question, which the import does not support",
        "line 36, question 10: refused: it has no answers in { }, so it is a text without a question",
        "line 38, Broken: refused: the answers begin with { but do not end with }",
        "line 40, Worth: refused: the weight 300% is not between -100% and 100%",
        "line 42, Not a number: refused: 'many' is neither a number nor",
        "line 44, Double: refused: it has more than one part in { }",
        "line 12, Sky: read",
        "line 21, question 4: read",
        "6 of 14 questions written",
        "3 read, 3 changed",
    ],
)
def test_what_is_not_imported_from_gift_is_reported_by_line(
    bank: Path, capsys: pytest.CaptureFixture[str], fragment: str
) -> None:
    imported(bank, "gift", GIFT)
    assert fragment in capsys.readouterr().out


def test_moodle_of_another_course_is_read(bank: Path) -> None:
    items = imported(bank, "moodle", XML)
    membrane = items["membrane-question"]
    assert membrane.topic == "Cells"
    assert membrane.stem == "What holds a *cell* of $10^{-5}$ m together?\n\n```\na < b\nc\n```"
    assert membrane.explanation == "See chapter 2."
    assert membrane.hints == ("It is thin.",)
    assert [(option.text, option.correct) for option in membrane.options] == [
        ("The membrane", True),
        ("The nucleus", False),
        ("The wall, 2*3*4", False),
    ]
    assert items["tf"].stem == "Cells divide.\nOften."
    assert [option.text for option in items["tf"].correct_options] == ["True"]
    number = items["chromosomes"].numeric
    assert items["chromosomes"].stem == "How many, of $2n$?"
    assert (number.value, number.right, number.wrong) == (46, "23 pairs.", "No.")
    (wrong,) = number.anticipated
    assert (wrong.value, wrong.feedback, wrong.misconception) == (23, "Pairs!", None)
    assert [option.correct for option in items["tf-2"].options] == [True, True, False]


@pytest.mark.parametrize(
    "fragment",
    [
        "line 4, Membrane Question!: changed: its incorrectfeedback is left out: Read it again",
        "line 4, Membrane Question!: changed: some answers are worth part of the mark",
        "line 4, Membrane Question!: changed: these tags are left out: week 3",
        "line 26, chromosomes: changed: its units are left out",
        "line 34, tf: changed: its id 'tf' is taken, so it becomes 'tf-2'",
        "line 42, Free: refused: it is an essay, which the import does not support",
        "line 43, Odd: refused: the fraction 'abc' is not a number",
        "line 45, Keyless: refused: no answer is worth the full mark",
        "4 of 7 questions written",
    ],
)
def test_what_is_not_imported_from_moodle_is_reported_by_line(
    bank: Path, capsys: pytest.CaptureFixture[str], fragment: str
) -> None:
    imported(bank, "moodle", XML)
    assert fragment in capsys.readouterr().out


def test_the_linter_lists_missing_texts(bank: Path) -> None:
    imported(bank, "moodle", XML)
    problems = lint_bank(bank)[1]
    for missing in ("feedback for option 'b', feedback for option 'c'", "a source"):
        assert any(f"item membrane-question: recommended but missing: {missing}" in told for told in problems)
    assert all(problem.startswith("line ") for problem in problems)


def choice(*answers: str, kind: str = "multichoice") -> bytes:
    body = "".join(answers)
    return f'<quiz><question type="{kind}"><name><text>Q</text></name>{body}</question></quiz>'.encode()


STEM = "<questiontext><text>Which?</text></questiontext>"


@pytest.mark.parametrize(
    ("data", "fragment"),
    [
        (choice(STEM, '<answer fraction="100"><text>A</text></answer>'), "it has one answer only"),
        (choice(STEM, '<answer fraction="100"><text>A</text></answer>' * 2), "option text 'A' is used more than once"),
        (choice('<answer fraction="100"><text>A</text></answer><answer><text>B</text></answer>'), "has no text"),
        (choice(STEM, '<answer fraction="100"><text/></answer><answer><text>B</text></answer>'), "answer has no text"),
        (choice(STEM, '<answer fraction="1e9"><text>A</text></answer>'), "is not between -100 and 100"),
        (choice(STEM, '<answer fraction="nan"><text>A</text></answer>'), "is not between -100 and 100"),
        (choice(STEM, '<answer fraction="100"><text>inf</text></answer>', kind="numerical"), "'inf' is not a number"),
        (choice(STEM, *["<answer><text>A</text></answer>"] * 40), "no answer is worth the full mark"),
        (choice('<questiontext format="rtf"><text>Q</text></questiontext>'), "the text format 'rtf' is not supported"),
        (choice(STEM, kind="drawing"), "it is of the type 'drawing', which the import does not support"),
    ],
)
def test_an_unsuitable_question_is_reported_and_nothing_is_written(
    bank: Path, capsys: pytest.CaptureFixture[str], data: bytes, fragment: str
) -> None:
    assert imported(bank, "moodle", data) == {}
    output = capsys.readouterr().out
    assert "Q: refused: " in output
    assert fragment in output
    assert "the file contains no question that this quiz supports; nothing is written" in output


LAUGHS = '<!DOCTYPE quiz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><quiz>&c;</quiz>'
OUTSIDE = '<!DOCTYPE quiz [<!ENTITY x SYSTEM "file:///etc/passwd">]><quiz><question type="essay">&x;</question></quiz>'


@pytest.mark.parametrize(
    ("data", "fragment"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (b"::Q:: Why? {=a ~b}", "the file is not XML: Start tag expected"),
        (b"<quiz><question>", "the file is not XML: "),
        (b'<?xml version="1.0" encoding="UTF-8"?><quiz>\xe9</quiz>', "the file is not XML: "),
        (b"<html><body/></html>", "it begins with <html>, not with <quiz>"),
        (LAUGHS.encode(), "DOCTYPE"),
        (OUTSIDE.encode(), "DOCTYPE"),
        (OUTSIDE.encode("utf-16"), "DOCTYPE"),
        (b'<!DOCTYPE quiz SYSTEM "http://127.0.0.1:1/x.dtd"><quiz/>', "DOCTYPE"),
        (b"<quiz>" + b"<a>" * 5000, "the file is not XML: "),
    ],
)
def test_a_file_that_is_not_moodle_xml_is_refused(data: bytes, fragment: str) -> None:
    with pytest.raises(InterchangeError) as caught:
        read_moodle(data)
    assert fragment in str(caught.value)
    assert "root:" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "fragment"),
    [
        (b"", "the file is empty"),
        (b"\xff\xfe\x00", "the file is not UTF-8 text"),
        (b"// only a remark\n\n$CATEGORY: a\n", "the file contains no questions"),
    ],
)
def test_a_file_that_is_not_gift_is_refused(data: bytes, fragment: str) -> None:
    with pytest.raises(InterchangeError, match=fragment):
        read_gift(data)


def test_a_huge_file_is_refused(
    bank: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(__main__, "MAX_IMPORT_BYTES", 1_000)
    assert imported(bank, "moodle", XML) == {}
    assert "the file is larger than" in capsys.readouterr().out


def test_a_question_without_answers_is_not_converted() -> None:
    assert to_bank([Question("single", "Q", "Which?", ())])[0]["items"] == []


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>a</p><p>b<br>c</p>", "a\n\nb\nc"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("2 * 3 _x_ [y]", "2 \\* 3 \\_x\\_ \\[y\\]"),
        ("$$x_1$$ and \\[y\\]", "$x_1$ and $y$"),
        ('<a href="https://a.org/b">t</a> <a href="javascript:x()">u</a>', "[t](https://a.org/b) u"),
        ("<ol><li>a</li><li>b</li></ol><h2>c</h2>", "1. a\n2. b\n\n## c"),
        ("<table><tr><th>a</th></tr><tr><td>1</td></tr></table>", "| a |\n| --- |\n| 1 |"),
        ("notes.txt", "notes.txt"),
        ("<code>a_b</code> <code>`</code>", "`a_b` `` ` ``"),
        ('<img src="x" alt="A cell"><img src="y">', "![A cell](x)![](y)"),
        ("a\0b", "ab"),
        ("10<sup>5</sup> H<sub>2</sub>O", "10$^{5}$ H$_{2}$O"),
        ('<pre><code class="language-python">x = 1</code></pre>', "```python\nx = 1\n```"),
        (
            "<table><tr><td>a|b</td><td>\\(|x|\\)</td></tr></table>",
            "|  |  |\n| --- | --- |\n| a\\|b | $\\vert x\\vert $ |",
        ),
        ('<img class="equation_image" data-equation-content="x^2" src="https://canvas.example/x">', "$x^2$"),
        ("<script>alert(1)</script>a<!-- b -->c &lt;img onerror=x&gt;", "ac \\<img onerror=x\\>"),
    ],
)
def test_html_becomes_markdown(html: str, markdown: str) -> None:
    assert html_to_markdown(html) == markdown


def test_two_amounts_of_money_are_not_taken_for_a_formula() -> None:
    (question,), _ = read_gift(b"Which is more? {=$5 or $10 ~$3}")
    assert to_bank([question])[1][0].text.startswith("two amounts such as $5 in a line")
    (question,), _ = read_gift(b"Is $5$ more than $3$? {T}")
    assert to_bank([question])[1] == []


@pytest.mark.parametrize("name", ["video", "audio", "iframe", "object", "embed", "math"])
def test_what_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(UnreadableError, match=f"it has an embedded <{name}>"):
        html_to_markdown(f"<p>Look:</p><{name}>x</{name}>")


@pytest.mark.parametrize("cell", ['<td colspan="2">a</td>', "<td><table><tr><td>a</td></tr></table></td>"])
def test_a_table_that_markdown_cannot_express_is_refused(cell: str) -> None:
    with pytest.raises(UnreadableError, match="a table with merged cells or a table within"):
        html_to_markdown(f"<table><tr>{cell}</tr></table>")


def test_raised_text_with_markup_is_refused() -> None:
    with pytest.raises(UnreadableError, match="raised or lowered text"):
        html_to_markdown("10<sup><b>5</b></sup>")


def test_a_line_break_in_auto_format_is_kept() -> None:
    assert auto_format_to_markdown("a\nb <b>c</b>") == "a\nb **c**"


def test_deeply_nested_html_becomes_plain_text() -> None:
    assert html_to_markdown("a_b " + "<b>" * 20_000 + "x &lt; y") == "a\\_b x \\< y"
