"""Let simulated learners take the adaptive start, and let copiers and guessers try to be called masters of a topic.

    python benchmarks/simulated_learners.py        # 1,000 learners of each kind, into benchmarks/results/; a minute
    python benchmarks/simulated_learners.py --learners 100 --output learners.json

A learner of ability a answers an item of difficulty b right with probability 1 / (1 + exp(b - a)), which is Rasch's
model, and otherwise says "I don't know" or, of the second kind, guesses. Abilities are spread evenly from one logit
below the first level to one above the last, and the true level is that of the ability. A guesser answers every question
of the bank at random. A copier does so too, and in the same sitting twice repeats the wrong ones with the keys just
shown; the right option is recognized whatever its numbers, as are the places of options to order or match, but a number
is typed, and a slider set, as it was shown. An expert, for comparison, knows 98% of the answers. Selection and grading
are those of the quiz itself.
"""

import argparse
import functools
import json
import math
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from quiz import selection
from quiz.bank import Bank, Item, draw_instance, load_bank
from quiz.estimates import share_interval
from quiz.grading import DO_NOT_KNOW, Grade
from quiz.ladder import LEVEL_STEP, MOST_QUESTIONS, find_level, level_of, list_difficulties
from quiz.selection import ALL, START
from quiz.session import (
    MASTERED,
    Record,
    Session,
    advance,
    answer,
    compute_standings,
    follow_up,
    retry,
    start_session,
    update_record,
)

RESULT = Path(__file__).parent / "results" / "simulated_learners.json"
LEAST_WITHIN_ONE_LEVEL = 0.9
MOST_FALSE_MASTERS = 0.05
EXPERT_KNOWS = 0.98
EXPERTS_PART = 5
"""For one expert there are so many learners of each other kind."""
REPEATS = 2
SECONDS_PER_QUESTION = 20

RUNS = 50
"""Number of different seeds of runs, so that the numbers of an item need not be drawn for each learner."""

Answerer = Callable[[Item], Sequence[str]]


@dataclass(frozen=True)
class Placement:
    """The outcome of an adaptive start: the true level and the level found, from 0, and the number of questions."""

    true: int
    found: int
    questions: int


def right_answer(item: Item) -> Sequence[str]:
    """Return the answer that the key states."""
    if item.goal:
        return [str(item.goal.solution[slider.name]) for slider in item.sliders]
    if item.arrangement:
        return item.arrangement.correct
    return [repr(item.numeric.value)] if item.numeric else [option.oid for option in item.correct_options]


def guess(item: Item, chance: random.Random) -> Sequence[str]:
    """Return an answer at random; a number without any idea of its size is not known."""
    oids = [option.oid for option in item.options]
    match item.type:
        case "numeric":
            return [DO_NOT_KNOW]
        case "slider":
            return [str(chance.uniform(slider.low, slider.high)) for slider in item.sliders]
        case "order":
            return chance.sample(oids, len(oids))
        case "match":
            return [chance.choice(oids) for _ in item.prompts]
        case "multi":
            return [oid for oid in oids if chance.random() < 0.5] or [chance.choice(oids)]
    return [chance.choice(oids)]


def place_learner(bank: Bank, ability: float, guesses: bool, chance: random.Random) -> Placement:
    """Take a learner of known ability through an adaptive start."""
    difficulties = list_difficulties(bank)

    def respond(item: Item) -> Sequence[str]:
        if chance.random() < 1 / (1 + math.exp(difficulties[item.id] - ability)):
            return right_answer(item)
        return guess(item, chance) if guesses else [DO_NOT_KNOW]

    session = take(start_session(bank, START, chance.randrange(RUNS)), respond, bank)
    return Placement(level_of(bank, ability), find_level(bank, session.grades), len(session.grades))


def take(session: Session, respond: Answerer, bank: Bank) -> Session:
    """Return a run with every question answered."""
    while session.open_item:
        session = advance(follow_up(answer(session, session.open_item.id, respond(session.open_item))[0], bank))
    return session


def copy_keys(session: Session, bank: Bank, chance: random.Random) -> list[Grade]:
    """Return the answers of a learner who repeats the wrong answers of a run with the keys just shown."""
    grades: list[Grade] = []
    for repeat in range(1, REPEATS + 1):
        if not session.mistakes:
            break
        shown = {grade.item.id: right_answer(grade.item) for grade in session.grades}
        seed = chance.randrange(RUNS) + repeat * RUNS  # no seed of the run before, which has the same numbers
        session = take(retry(session, bank, seed), lambda item, shown=shown: shown[item.id], bank)
        grades += session.grades
    return grades


def count_mastered(bank: Bank, grades: Sequence[Grade]) -> int:
    """Return the number of topics that are called mastered after answers, which were given in one sitting."""
    record: Record = {}
    for number, graded in enumerate(grades):
        record = update_record(record, graded, time=1e9 + number * SECONDS_PER_QUESTION)
    return sum(standing.level == MASTERED for standing in compute_standings(bank, record))


def simulate_starts(bank: Bank, learners: int, guesses: bool, chance: random.Random) -> dict[str, Any]:
    """Return how near the adaptive start comes to the true levels of many learners."""
    limit = LEVEL_STEP * (len(bank.ladder) - 1) / 2 + 1
    abilities = [limit * (2 * (number + 0.5) / learners - 1) for number in range(learners)]
    placements = [place_learner(bank, ability, guesses, chance) for ability in abilities]
    return {
        "within_one_level": share([abs(p.found - p.true) <= 1 for p in placements]),
        "same_level": share([p.found == p.true for p in placements]),
        "too_high": share([p.found > p.true for p in placements]),
        "mean_questions": round(mean(p.questions for p in placements), 2),
        "most_questions": max(p.questions for p in placements),
    }


def simulate_mastery(bank: Bank, learners: int, seed: int) -> dict[str, Any]:
    """Return how many guessers, copiers and experts are called masters of a topic. Copiers begin as guessers."""
    counts: dict[str, list[int]] = {"guessers": [], "copiers": [], "experts": []}
    for number in range(learners):
        chance = random.Random(f"{seed} {number}")
        session = take(start_session(bank, ALL, chance.randrange(RUNS)), lambda item, c=chance: guess(item, c), bank)
        counts["guessers"].append(count_mastered(bank, session.grades))
        counts["copiers"].append(count_mastered(bank, [*session.grades, *copy_keys(session, bank, chance)]))
    for number in range(max(1, learners // EXPERTS_PART)):
        chance = random.Random(f"{seed} expert {number}")

        def know_most(item: Item, chance: random.Random = chance) -> Sequence[str]:
            return right_answer(item) if chance.random() < EXPERT_KNOWS else guess(item, chance)

        session = take(start_session(bank, ALL, chance.randrange(RUNS)), know_most, bank)
        counts["experts"].append(count_mastered(bank, session.grades))
    return {
        kind: {
            "with_a_topic_mastered": share([count > 0 for count in mastered]),
            "mean_topics_mastered": round(mean(mastered), 2),
        }
        for kind, mastered in counts.items()
    }


def share(flags: Sequence[bool]) -> dict[str, Any]:
    """Return a share with its 95% interval."""
    interval = share_interval(sum(flags), len(flags))
    return {
        "share": round(sum(flags) / len(flags), 4),
        "interval": [round(interval.low, 4), round(interval.high, 4)],
    }


def simulate(bank: Bank, learners: int, seed: int) -> dict[str, Any]:
    """Return the results of all simulations."""
    return {
        "learners": learners,
        "seed": seed,
        "levels": [level.name for level in bank.ladder],
        "adaptive_start": simulate_starts(bank, learners, False, random.Random(f"{seed} start")),
        "adaptive_start_if_learners_guess": simulate_starts(bank, learners, True, random.Random(f"{seed} guessing")),
        **simulate_mastery(bank, learners, seed),
        "date": time.strftime("%Y-%m-%d"),
    }


def find_failures(result: dict[str, Any]) -> list[str]:
    """Return what the results miss of the goals, in words."""
    start = result["adaptive_start"]
    failures = []
    if start["within_one_level"]["share"] < LEAST_WITHIN_ONE_LEVEL:
        failures.append("the adaptive start misses the level")
    if start["most_questions"] > MOST_QUESTIONS:
        failures.append("the adaptive start asks too much")
    for kind in ("copiers", "guessers"):
        if result[kind]["with_a_topic_mastered"]["share"] >= MOST_FALSE_MASTERS:
            failures.append(f"{kind} are called masters")
    return failures


def main() -> None:
    """Simulate, write the result, and fail if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--learners", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=RESULT)
    chosen = parser.parse_args()
    selection.draw_instance = functools.cache(draw_instance)
    result = simulate(load_bank(), chosen.learners, chosen.seed)
    print(json.dumps(result, indent=2))
    chosen.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if failures := find_failures(result):
        sys.exit("; ".join(failures))


if __name__ == "__main__":
    main()
