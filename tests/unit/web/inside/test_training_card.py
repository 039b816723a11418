"""The card on which a visitor trains a small network."""

import re

import pytest

from sentiment_gru.explanation.delayed_recall import VARIANTS
from sentiment_gru.web.inside import training_card
from sentiment_gru.web.inside.training_card import (
    Run,
    TrainingVisit,
    begin_training,
    render_runs,
    report,
    run_training,
    stop_training,
    train,
)


def test_the_card_offers_every_variant() -> None:
    assert list(VARIANTS) == list(training_card.VARIANTS)


def test_an_easy_task_is_learned_and_the_curves_say_so() -> None:
    (*_, run) = train(Run("gru", 16, 5))
    assert run.is_learned
    assert run.accuracy[-1] == 1
    assert run.loss[0] > run.loss[-1]
    assert len(run.steps) == len(run.accuracy) == len(run.loss)
    assert run.kept is not None
    assert len(run.kept) == 6
    assert "Learned after" in report(run, is_running=False)


def test_a_training_ends_after_its_steps_and_after_its_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_card, "MOST_STEPS", 7)
    (*_, run) = train(Run("rnn", 8, 40))
    assert run.steps[-1] == 7
    assert re.match(r"Not learned in [\d.]+ s. Step 7: \d+% of the last answers", report(run, is_running=False))
    monkeypatch.setattr(training_card, "MOST_STEPS", 8)
    assert report(run, is_running=False).startswith("Stopped. Step 7: ")
    monkeypatch.setattr(training_card, "MOST_STEPS", 1_000_000)
    monkeypatch.setattr(training_card, "MOST_SECONDS", 0.02)
    monkeypatch.setattr(training_card, "REPORTED", 0.01)
    (*_, run) = train(Run("rnn", 8, 40))
    assert run.seconds >= 0.02
    assert not run.is_learned


def test_nothing_is_trained_once_the_iterator_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_card, "REPORTED", 0.0)
    run = Run("lstm", 8, 40)
    steps = train(run)
    next(steps)
    steps.close()
    assert run.steps == [0, 1]


def test_a_training_is_stopped_and_the_run_before_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_card, "REPORTED", 0.0)
    monkeypatch.setattr(training_card, "MOST_STEPS", 9)
    visit = TrainingVisit()
    (*_, shown) = run_training(visit, "gru", 16, 5)
    assert "Not learned in" in shown
    begin_training(visit)
    steps = run_training(visit, "rnn", 16, 40)
    assert "GRU, 16 units" in next(steps)
    stop_training(visit)
    (last,) = steps
    assert "Stopped. Step 2: " in last
    assert [run.variant for run in visit.runs] == ["gru", "rnn"]


def test_a_training_that_is_stopped_while_it_waits_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    visit = TrainingVisit()
    begin_training(visit)
    stop_training(visit)
    monkeypatch.setattr(training_card, "train", None)
    assert list(run_training(visit, "gru", 16, 5)) == [render_runs([])]


def test_each_training_of_a_visit_has_a_seed_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_card, "MOST_STEPS", 2)
    visit, seeds = TrainingVisit(), []
    for _ in range(4):
        list(run_training(visit, "gru", 8, 5))
        seeds.append(visit.runs[-1].seed)
    assert seeds == [0, 1, 2, 3]


def test_two_runs_share_the_axes() -> None:
    short = Run("gru", 8, 5, steps=[0, 50], accuracy=[0.1, 1.0], loss=[2.0, 0.0])
    long = Run("rnn", 8, 10, steps=[0, 100], accuracy=[0.1, 0.5], loss=[4.0, 1.0])
    html = render_runs([short, long])
    drawn = [points.split()[-1] for points in re.findall('<polyline[^>]* points="([^"]*)"', html)]
    assert drawn == ["50.00,0.00", "100.00,50.00", "50.00,100.00", "100.00,75.00"]
    assert "RNN, 8 units, 10 tokens: no gate." in html
    assert "Train" in render_runs([])
