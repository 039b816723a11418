"""The ladder of a bank, and the adaptive start, which finds the level of a learner with a few questions.

The answers are modelled by Rasch (1960, "Probabilistic models for some intelligence and attainment tests"): a learner
of ability a answers an item of difficulty b right with probability 1 / (1 + exp(b - a)), both in logits. The estimated
ability is the mean of its posterior distribution (Bock and Mislevy 1982, "Adaptive EAP estimation of ability in a
microcomputer environment", Applied Psychological Measurement 6, 431-444). The next question is one of the five whose
difficulty is nearest to it, which tell the most, drawn at random so that no item comes to every learner (Kingsbury and
Zara 1989, "Procedures for selecting items for computerized adaptive tests", Applied Measurement in Education 2,
359-375).
"""

import random
from collections.abc import Collection, Mapping, Sequence
from statistics import mean

import numpy as np
import numpy.typing as npt

from .bank import Bank, Item, Level, are_enemies
from .grading import Grade

MOST_QUESTIONS = 8
SURE = 0.9
"""Probability of the likeliest level from which no further question is asked."""
LEVEL_STEP = 1.5
"""Logits between the mean difficulties of two levels."""
DIFFICULTY_STEP = 0.5
"""Logits for each degree of difficulty that an item is above the mean of its level."""
_SPREAD = 2.0  # standard deviation of the abilities before the first answer, in logits
_NEAREST = 5  # items from which the next one is drawn
_SEEN_BEFORE = 1.0  # logits by which an item seen before counts as farther away
_ABILITIES = np.linspace(-6, 6, 241)


def list_difficulties(bank: Bank) -> dict[str, float]:
    """Return the difficulty in logits of each live item on the ladder, by id.

    It grows with the level of the item's topic, and within a level with the difficulty that the bank states.
    """
    difficulties = {}
    for number, level in enumerate(bank.ladder):
        items = items_of_level(bank, level)
        typical = mean(item.difficulty for item in items) if items else 0
        for item in items:
            difficulties[item.id] = _centre(bank, number) + DIFFICULTY_STEP * (item.difficulty - typical)
    return difficulties


def items_of_level(bank: Bank, level: Level) -> list[Item]:
    """Return the live items of a level, in the order of the bank."""
    return [item for item in bank.items if item.status == "live" and item.topic in level.topics]


def level_of(bank: Bank, ability: float) -> int:
    """Return the number of the level, from 0, whose typical item is nearest to being answered right half of the time.

    Args:
        bank: A bank with a ladder.
        ability: In logits.
    """
    return min(range(len(bank.ladder)), key=lambda number: abs(_centre(bank, number) - ability))


def find_level(bank: Bank, grades: Sequence[Grade]) -> int:
    """Return the number of the level, from 0, at the ability estimated from answers.

    Args:
        bank: A bank with a ladder.
        grades: The answers; those to items outside of the ladder tell nothing.
    """
    return level_of(bank, float(_ABILITIES @ _posterior(list_difficulties(bank), grades)))


def choose_next(bank: Bank, grades: Sequence[Grade], seed: int, seen: Collection[str] = ()) -> str | None:
    """Return the id of the next item of an adaptive start, or None if the level is found, or there is no ladder.

    It is neither advanced nor reveals the answer of another one. One and the same seed leads to one and the same item.

    Args:
        bank: The bank.
        grades: The answers so far, in order.
        seed: Seed of the random choice.
        seen: Ids of items that the learner has answered before; others are preferred.
    """
    if not bank.ladder:
        return None
    difficulties = list_difficulties(bank)
    posterior = _posterior(difficulties, grades)
    if len(grades) >= MOST_QUESTIONS or (grades and _is_sure(bank, posterior)):
        return None
    ability = float(_ABILITIES @ posterior)
    asked = [grade.item for grade in grades]
    left = [
        item
        for item in bank.items
        if item.id in difficulties
        and not item.advanced
        and not any(item.id == other.id or are_enemies(item, other) for other in asked)
    ]
    left.sort(key=lambda item: abs(difficulties[item.id] - ability) + _SEEN_BEFORE * (item.id in seen))
    return random.Random(f"{seed} next {len(grades)}").choice(left[:_NEAREST]).id if left else None


def _centre(bank: Bank, number: int) -> float:
    return LEVEL_STEP * (number - (len(bank.ladder) - 1) / 2)


def _posterior(difficulties: Mapping[str, float], grades: Sequence[Grade]) -> npt.NDArray[np.float64]:
    """Return the probability of each of `_ABILITIES`.

    Part of the mark counts as that part of a right answer, and the rest as that part of a wrong one.
    """
    log_odds = -0.5 * (_ABILITIES / _SPREAD) ** 2
    for grade in grades:
        if grade.item.id in difficulties:
            distance = _ABILITIES - difficulties[grade.item.id]
            log_odds += grade.credit * distance - np.logaddexp(0, distance)
    odds = np.exp(log_odds - log_odds.max())
    return odds / odds.sum()


def _is_sure(bank: Bank, posterior: npt.NDArray[np.float64]) -> bool:
    levels = [level_of(bank, ability) for ability in _ABILITIES.tolist()]
    return bool(np.bincount(levels, posterior).max() >= SURE)
