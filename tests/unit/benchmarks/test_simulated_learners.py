"""The simulated learners: what they are placed by, and that a weaker rule for levels would let copiers through."""

import random
from typing import Any

import pytest

from benchmarks import simulated_learners
from benchmarks.simulated_learners import find_failures, simulate_mastery, simulate_starts
from quiz.bank import load_bank
from quiz.session import Counted

BANK = load_bank()


def test_most_simulated_learners_are_placed_within_one_level_of_their_own() -> None:
    result = simulate_starts(BANK, 60, False, random.Random(1))
    assert result["within_one_level"]["share"] >= 0.9
    assert 0.4 < result["same_level"]["share"] < 1
    assert 4 < result["mean_questions"] <= result["most_questions"] <= 8


def test_copiers_are_masters_only_if_answers_just_shown_count(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = simulate_mastery(BANK, 4, seed=1)
    assert kinds["copiers"]["with_a_topic_mastered"]["share"] == 0
    assert kinds["guessers"]["with_a_topic_mastered"]["share"] == 0
    assert kinds["experts"]["with_a_topic_mastered"]["share"] == 1

    def count_every_answer(record: Any, graded: Any, time: float) -> Any:
        return {**record, graded.item.id: Counted(graded.credit, time)}

    monkeypatch.setattr(simulated_learners, "update_record", count_every_answer)
    kinds = simulate_mastery(BANK, 4, seed=1)
    assert kinds["copiers"]["with_a_topic_mastered"]["share"] == 1
    assert kinds["guessers"]["with_a_topic_mastered"]["share"] == 0


def test_a_missed_goal_is_named() -> None:
    def result(within: float, questions: int, copiers: float) -> dict[str, Any]:
        start = {"within_one_level": {"share": within}, "most_questions": questions}
        masters = {"with_a_topic_mastered": {"share": copiers}}
        return {"adaptive_start": start, "copiers": masters, "guessers": {"with_a_topic_mastered": {"share": 0.0}}}

    assert find_failures(result(0.9, 8, 0.04)) == []
    assert find_failures(result(0.89, 9, 0.05)) == [
        "the adaptive start misses the level",
        "the adaptive start asks too much",
        "copiers are called masters",
    ]
