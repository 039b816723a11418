"""The plots of the quiz: the committed files are drawn from the bank, and their descriptions hold their numbers."""

from benchmarks.quiz_plots import WORDS, draw_plots
from quiz.bank import load_bank

BANK = load_bank()
PICTURES = {media.src: media.alt for item in BANK.items for media in item.media}


def test_the_committed_plots_are_those_of_the_bank() -> None:
    plots = draw_plots(BANK)
    assert plots.keys() == PICTURES.keys()
    for name, svg in plots.items():
        assert (BANK.folder / name).read_text(encoding="utf-8") == svg, "run benchmarks/quiz_plots.py"


def test_the_descriptions_hold_every_number_of_the_plots() -> None:
    params = {item.id: item.check.params for item in BANK.items if item.check}
    for word, gate in zip(WORDS, params["gru-dynamics-008"]["gates"], strict=True):
        assert f"{word} {gate:.2f}" in PICTURES["plot_gates.svg"]
    for losses in params["gru-use-010"].values():
        assert ", ".join(f"{loss:.2f}" for loss in losses) in PICTURES["plot_losses.svg"]


def test_the_questions_on_the_gates_show_the_same_numbers_as_the_plot() -> None:
    params = {item.id: item.check.params for item in BANK.items if item.check}
    start = WORDS.index("but") + 1
    assert params["gru-dynamics-009"]["gates"] == params["gru-dynamics-008"]["gates"][start : start + 3]
