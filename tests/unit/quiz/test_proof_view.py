"""Proofs as HTML: what the learner's answer would mean and what was measured, with all text escaped."""

import dataclasses
import re
from html import unescape

import pytest

from quiz.bank import Item, Source, load_bank
from quiz.proof_view import inline_html, proof_html, unproved_html
from quiz.proofs import NotInstalledError, Proof, Run, Verdict, prove

ITEMS = {item.id: item for item in load_bank().items}
OPENING = ITEMS["gru-anatomy-001"]  # in every convention; its claims are comparisons
CANDIDATE = ITEMS["gru-anatomy-002"]  # its claims are values
SEVERAL = ITEMS["gru-placement-006"]
NUMBER = ITEMS["gru-update-003"]
HOSTILE = '<img src=x onerror="alert(1)">'


def words(html: str) -> str:
    text = re.sub(r"</(p|summary|li|dt|dd|div|pre)>|<(p|summary|li|dt|dd|div|pre)\b[^>]*>", " ", html)
    return " ".join(unescape(re.sub(r"<[^>]+>", "", text)).split())


def shown(item: Item, *chosen: str) -> str:
    return proof_html(prove(item), item, chosen)


def test_a_wrong_choice_shows_what_it_would_mean_and_what_the_run_gives() -> None:
    assert "Your option A would mean update_effect == 0, but the run gives update_effect = 1." in words(
        shown(OPENING, "k4vd")
    )
    text = words(shown(CANDIDATE, "d8rk"))
    assert re.search(r"Your option B would mean tanh\(a\) = \[.+\], but the run gives \[.+\]\.", text)


def test_a_right_choice_shows_no_remark() -> None:
    for html in (shown(OPENING, "t2me"), shown(SEVERAL, "t3ei", "w8lr"), shown(NUMBER, "-0.1"), shown(OPENING)):
        assert "proof-yours" not in html


def test_options_wrongly_chosen_and_left_out_are_both_shown() -> None:
    text = words(shown(SEVERAL, "t3ei", "p4sf"))
    omitted = re.search(r"You left out option B: it says (.+?), and the run gives gap_r_alike = (\S+)\. ", text)
    chosen = re.search(r"Your option C would mean (.+?), but the run gives gap_symmetric = (\S+)\. ", text)
    assert omitted
    assert omitted[1] == "gap_r_alike < 0.000001"
    assert float(omitted[2]) == pytest.approx(0, abs=1e-6)
    assert chosen
    assert chosen[1] == "gap_symmetric < 0.000001"


def test_the_letter_is_that_of_the_order_shown() -> None:
    turned = dataclasses.replace(OPENING, options=OPENING.options[::-1])
    html = proof_html(prove(turned), turned, ["k4vd"])
    assert "Your option D would mean update_effect == 0" in words(html)
    assert "D (yours) The update gate" in words(html)


@pytest.mark.parametrize(
    ("typed", "remark"),
    [
        ("0.5", "Your answer 0.5 would mean (1 - z) * h + z * n = 0.5, but the run gives -0.1."),
        ("0,2", "Your answer 0.2 would mean (h + n) / 2 = 0.2, but the run gives -0.1."),
        ("7", "Your answer is 7, but the run gives -0.1."),
        ("−0.2", "Your answer -0.2 would mean z * h + n = -0.2, but the run gives -0.1."),
    ],
)
def test_a_wrong_number_shows_the_formula_that_gives_it(typed: str, remark: str) -> None:
    assert remark in words(shown(NUMBER, typed))


@pytest.mark.parametrize("typed", ["", "a tenth", "nan"])
def test_text_that_is_not_a_number_is_ignored(typed: str) -> None:
    html = shown(NUMBER, typed)
    assert "proof-yours" not in html
    assert "The code that ran" in html


@pytest.mark.parametrize("item", [OPENING, CANDIDATE, SEVERAL, NUMBER], ids=lambda item: item.id)
def test_every_run_answer_and_quantity_is_shown(item: Item) -> None:
    proof = prove(item)
    text = words(proof_html(proof, item, []))
    assert "Proved." in text
    assert " ".join(proof.code.split()) in text
    for run in proof.runs:
        assert f"On {run.cell}" in text
        assert run.procedure in text
        assert all(f"{name} {result}" in text for name, result in run.measured.items())
        assert all(str(verdict.claim) in text and verdict.value in text + "True False" for verdict in run.verdicts)
    assert text.count("✓ Holds") == sum(verdict.holds for run in proof.runs for verdict in run.verdicts)


@pytest.mark.parametrize(
    ("item_id", "subject"), [("gru-use-010", "the plotted losses"), ("gru-lstm-007", "torch.nn.LSTM")]
)
def test_a_proof_without_a_gru_does_not_claim_to_have_run_one(item_id: str, subject: str) -> None:
    proof = prove(ITEMS[item_id])
    text = words(proof_html(proof, ITEMS[item_id], []))
    assert f"On {subject} What ran: " in text
    assert [run.cell for run in proof.runs] == [subject]
    assert "kinds of GRU" not in text


def test_numbers_of_answers_are_rounded_as_the_measured_ones() -> None:
    numbers = re.findall(r"<strong>([-\d.]+)</strong>", shown(ITEMS["gru-update-012"]))
    assert numbers == ["-0.29", "0.8", "0.861723"]


def test_the_code_can_be_scrolled_by_keyboard() -> None:
    assert '<pre tabindex="0" role="group" aria-label="Code that ran">' in shown(OPENING)


def test_a_run_that_disagrees_with_the_bank_says_so() -> None:
    proof = prove(OPENING)
    text = words(proof_html(dataclasses.replace(proof, key=frozenset({"k4vd"})), OPENING, ["k4vd"]))
    assert "Not proved. The run does not agree with the answer bank" in text


def test_a_cell_without_the_part_says_so() -> None:
    proof = Proof(
        OPENING.id, "def f(): ...", (Run("torch.nn.RNN", "", {}, (), failure="it has no gates"),), frozenset()
    )
    assert "On torch.nn.RNN it has no gates" in words(proof_html(proof, OPENING, ["k4vd"]))


def test_items_without_a_proof_show_the_reason_and_the_source() -> None:
    item = ITEMS["gru-use-007"]
    html = unproved_html(item)
    assert "No code can prove this. It asks what may be concluded" in words(html)
    assert f'<a href="{item.sources[0].url}"' in html
    assert item.sources[0].loc in words(html)
    assert words(unproved_html(dataclasses.replace(item, check=None, sources=()))) == (
        "This question comes without a proof."
    )


def test_a_proof_that_cannot_run_here_says_why() -> None:
    text = words(unproved_html(ITEMS["gru-placement-003"], NotInstalledError("the package keras is not installed")))
    assert text.startswith("This proof cannot run here: the package keras is not installed. It can be read here:")


def test_text_of_banks_and_learners_is_escaped() -> None:
    options = tuple(dataclasses.replace(option, text=f"{HOSTILE} $<b>$ `<b>` **<b>**") for option in OPENING.options)
    source = Source(HOSTILE, HOSTILE, f"https://example.org/{HOSTILE}")
    item = dataclasses.replace(OPENING, options=options, sources=(source,))
    verdicts = tuple(Verdict(option.oid, HOSTILE, HOSTILE, False) for option in options)
    run = Run(HOSTILE, HOSTILE, {HOSTILE: HOSTILE, "answer": HOSTILE}, verdicts)
    pages = [
        proof_html(Proof(item.id, HOSTILE, (run,), frozenset()), item, ["k4vd", HOSTILE]),
        unproved_html(item, NotInstalledError(HOSTILE)),
        shown(NUMBER, HOSTILE),
    ]
    for page in pages:
        assert "<img" not in page
        assert "<b>" not in page
        assert 'onerror="' not in page


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        (
            "The `W_hh` of **all** *three* & more",
            "The <code>W_hh</code> of <strong>all</strong> <em>three</em> &amp; more",
        ),
        ("$h_{t-1}$", '<span class="formula"><i>h</i><sub><i>t</i>−1</sub></span>'),
        ("$10^{6}$", '<span class="formula">10<sup>6</sup></span>'),
        ("$\\tilde h_t\\odot\\sigma$", '<span class="formula"><i>h\u0303</i><sub><i>t</i></sub>⊙σ</span>'),
        ("$\\mathrm{diag}(r)$", '<span class="formula"><i>d</i><i>i</i><i>a</i><i>g</i>(<i>r</i>)</span>'),
        ("2 * 3 * 4 costs $5", "2 * 3 * 4 costs $5"),
    ],
)
def test_one_line_of_markdown_becomes_html(markdown: str, html: str) -> None:
    assert inline_html(markdown) == html


def test_no_option_of_the_bank_shows_the_name_of_a_symbol_it_should_draw() -> None:
    for item in ITEMS.values():
        for option in item.options:
            assert not re.search(r"odot|sigma|tilde|[\\$]", inline_html(option.text)), option.text
