"""The events of the tab, without a browser."""

import gradio as gr
import pytest

from sentiment_gru.web.inside.cards import CARDS
from sentiment_gru.web.inside.measurements import Measured
from sentiment_gru.web.inside.sentence_card import SENTENCE
from sentiment_gru.web.inside.statements import list_statements
from sentiment_gru.web.inside.tab import Visit, parse_target, show_card, update_text
from sentiment_gru.web.rendering import inside_link, render

from .conftest import extract_numbers
from .test_statements import CONFIG


def test_the_chapter_shows_every_statement_and_no_figure_of_its_own(measured: Measured) -> None:
    statements = list_statements(CONFIG, measured)
    chapter = render("inside/chapter.html", statements=statements)
    assert chapter.count('class="badge') == len(statements)
    for statement in statements.values():
        assert f'{statement.claim}”</b> <span class="badge verdict-{statement.verdict.split()[0]}"' in chapter
    assert chapter.count("Measured by <code>") == sum(bool(statement.source) for statement in statements.values())
    assert extract_numbers(render("inside/chapter.html", statements={})) == {"0", "1"}
    assert extract_numbers(render("inside/course.html")) == set()


def test_a_link_holds_panel_text_and_token() -> None:
    assert inside_link("cell") == "#inside=cell"
    assert inside_link("unit", "a & b=#1", 0) == "#inside=unit&text=a%20%26%20b%3D%231&token=0"


@pytest.mark.parametrize("target", [None, "", "no json", "[1]", '{"token": "3", "panel": 4, "text": null}'])
def test_an_invalid_target_is_ignored(target: str | None) -> None:
    assert parse_target(target) == {}


def test_the_sentence_of_the_card_stays_until_the_visitor_has_another_text() -> None:
    visit = Visit(("the first example", -1))
    assert update_text(visit, {"chosen": -1}, "the first example") == gr.skip()
    assert visit.pending == (SENTENCE, None)


def test_the_text_of_the_sentiment_tab_is_taken_over_once() -> None:
    visit = Visit(("", -1))
    assert update_text(visit, {"chosen": 2}, "a text") == "a text"
    assert visit.pending == ("a text", 2)
    visit.pending = None
    update_text(visit, {"chosen": 2}, "a text")
    assert visit.pending is None  # a text typed in the card since then stays


def test_the_text_of_a_link_precedes_that_of_the_sentiment_tab() -> None:
    visit = Visit(("", -1))
    assert update_text(visit, {"panel": "unit", "text": "linked", "token": 0, "chosen": 5}, "a text") == "linked"
    assert visit.pending == ("linked", 0)
    visit.pending = None
    update_text(visit, {"chosen": 5}, "a text")
    update_text(visit, {"chosen": -1}, "a text")
    assert visit.pending is None
    assert update_text(visit, {"chosen": 5}, "another") == "another"


def test_one_card_is_visible_and_the_buttons_end_at_the_first_and_last() -> None:
    name, *columns, back, onward = show_card(list(CARDS), "chapter")
    assert name == "chapter"
    assert [column.visible for column in columns] == [True, *[False] * (len(CARDS) - 1)]
    assert (back.interactive, onward.interactive) == (False, True)
    assert show_card(list(CARDS), "recall")[-1].interactive is False
