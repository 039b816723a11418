"""Change every key of the shipped bank in every way, and see which wrong keys the proofs do not notice.

    python benchmarks/key_mutations.py             # 20 draws of each item, into benchmarks/results/key_mutations.json
    python benchmarks/key_mutations.py --draws 200 --items gru-update-003 gru-lstm-007 --output keys.json

Changed keys of an instance: another option, another set of options, another order, two options of a match exchanged or
one replaced, another number (each anticipated wrong one, and 2.5 tolerances to either side, or 1 if it has none), other
positions of the sliders. Changed keys of a template: the formula of its number, or of what its sliders lead to, with
another operator, constant or name; it is noticed if the proof fails for one of the draws. A wrong key that is not
noticed needs an explanation in `EXPLANATIONS`.
"""

import argparse
import ast
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from quiz.bank import Item, draw_instance, load_bank, make_instance, sample_positions
from quiz.bank.formulas import TOLERANCE, ClaimError
from quiz.proofs import Measurement, NotInstalledError, Proof, ProofError, prove

RESULT = Path(__file__).parent / "results" / "key_mutations.json"
SHIFT = 2.5
"""Tolerances by which a number is changed; one less than 2 can be as near to the measured one as the key itself."""
EXPLANATIONS: Mapping[tuple[str, str], str] = {}
"""Why a wrong key is not noticed, by item and changed key: it means the same as the key."""

_OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
}


@dataclass(frozen=True)
class Survivor:
    """A wrong key that no proof noticed."""

    item_id: str
    drawn: Mapping[str, Any]
    key: str
    explanation: str | None


@dataclass(frozen=True)
class Outcome:
    """The number of wrong keys tried on an item, and those not noticed."""

    tried: int
    survivors: tuple[Survivor, ...]


def try_keys(item: Item, draws: int, classifier: Any = None) -> Outcome:
    """Try every wrong key of an item, of its example and of different draws if it has parameters.

    Raises:
        NotInstalledError: The proof needs a package that is not installed.
        ProofError: The key of the bank itself is not proved.
    """
    instances = _list_instances(item, draws)
    memory: dict[Any, Measurement] = {}
    tried, survivors = 0, []
    for instance in instances:
        proof = prove(instance, None, classifier, memory) if _has_proof(instance) else None
        if proof and not proof.proved:
            raise ProofError(f"item {item.id}: the key of the bank is not proved with {dict(instance.drawn)}")
        for name, mutant in list_mutants(instance):
            tried += 1
            if _is_believed(mutant, proof, classifier, memory):
                survivors.append(_describe(instance, name))
    for field, formula in list_formulas(item):
        mutants = _fill_formula(instances, field, formula)
        tried += bool(mutants)
        if mutants and all(_is_believed(mutant, None, classifier, memory) for mutant in mutants):
            survivors.append(_describe(item, formula))
    return Outcome(tried, tuple(survivors))


def list_mutants(item: Item) -> Iterator[tuple[str, Item]]:
    """Yield an item with each wrong key, and the key in words."""
    if item.numeric:
        for value in _other_numbers(item):
            yield repr(value), replace(item, numeric=replace(item.numeric, value=value, anticipated=()))
        for positions in sample_positions(item.sliders) if item.goal else []:
            goal = replace(item.goal, solution=positions)
            if abs(goal.result(positions) - item.numeric.value) > item.numeric.tolerance:
                yield repr(positions), replace(item, goal=goal)
    elif item.arrangement:
        for places in _other_arrangements(item):
            yield " ".join(places), replace(item, arrangement=replace(item.arrangement, correct=places))
    else:
        right = {option.oid for option in item.correct_options}
        oids = [option.oid for option in item.options]
        sizes = range(1, len(oids)) if item.type == "multi" else [1]
        for chosen in (set(chosen) for size in sizes for chosen in combinations(oids, size)):
            if chosen != right:
                options = tuple(replace(option, correct=option.oid in chosen) for option in item.options)
                yield " ".join(sorted(chosen)), replace(item, options=options)


def list_formulas(item: Item) -> list[tuple[str, str]]:
    """Return the formulas that differ from those of the item's key in one operator, constant or name, with their field.

    A placeholder of a parameter, such as [[h]], reads as a list in a list, which is left as it is.
    """
    parameters = [name for name, value in item.drawn.items() if not isinstance(value, str)]
    found = []
    for field, names in [("value", parameters), ("formula", [slider.name for slider in item.sliders])]:
        formula = item.template.get("key", {}).get(field)
        if isinstance(formula, str):
            original = ast.parse(formula, mode="eval")
            count = sum(1 for _ in ast.walk(original))
            changed = [text for index in range(count) for text in _change_node(formula, index, sorted(names))]
            found += [(field, text) for text in dict.fromkeys(changed) if text != ast.unparse(original)]
    return found


def _change_node(formula: str, index: int, names: Sequence[str]) -> Iterator[str]:
    def fresh() -> tuple[ast.Expression, ast.AST]:
        tree = ast.parse(formula, mode="eval")
        return tree, list(ast.walk(tree))[index]

    _, node = fresh()
    if isinstance(node, ast.BinOp):
        for operator in _OPERATORS.get(type(node.op), ()):
            tree, changed = fresh()
            assert isinstance(changed, ast.BinOp)
            changed.op = operator()
            yield ast.unparse(tree)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        tree, changed = fresh()
        assert isinstance(changed, ast.Constant)
        changed.value = node.value + 1
        yield ast.unparse(tree)
    elif isinstance(node, ast.Name) and node.id in names:
        for name in names:
            tree, changed = fresh()
            assert isinstance(changed, ast.Name)
            changed.id = name
            yield ast.unparse(tree)


def _fill_formula(instances: Sequence[Item], field: str, formula: str) -> list[Item]:
    """Return the instances with another formula; empty if it has no value, or means the same as the key in all."""
    filled = []
    for instance in instances:
        key = instance.template["key"] | {field: formula, "anticipated": []}
        try:
            other = make_instance({**instance.template, "key": key}, instance.drawn)
            same = _mean_the_same(other, instance)
        except ClaimError:
            return []
        filled.append((other, same))
    return [] if all(same for _, same in filled) else [other for other, _ in filled]


def _mean_the_same(one: Item, other: Item) -> bool:
    assert one.numeric
    assert other.numeric
    if abs(one.numeric.value - other.numeric.value) > other.numeric.tolerance:
        return False
    if not one.goal or not other.goal:
        return True
    positions = sample_positions(other.sliders)
    return all(abs(one.goal.result(place) - other.goal.result(place)) <= TOLERANCE for place in positions)


def _other_numbers(item: Item) -> Iterator[float]:
    assert item.numeric
    key = item.numeric
    step = SHIFT * key.tolerance or 1
    yield from dict.fromkeys([key.value - step, key.value + step, *(wrong.value for wrong in key.anticipated)])


def _other_arrangements(item: Item) -> Iterator[tuple[str, ...]]:
    assert item.arrangement
    correct = item.arrangement.correct
    if item.type == "order":
        yield from (places for places in permutations(correct) if places != correct)
        return
    for index, option in ((index, option.oid) for index in range(len(correct)) for option in item.options):
        if option != correct[index]:
            yield (*correct[:index], option, *correct[index + 1 :])
    for one, other in combinations(range(len(correct)), 2):
        places = list(correct)
        places[one], places[other] = places[other], places[one]
        if tuple(places) != correct:
            yield tuple(places)


def _is_believed(mutant: Item, proof: Proof | None, classifier: Any, memory: dict[Any, Measurement]) -> bool:
    """Return whether a wrong key passes: with the verdicts of the proof where they do not depend on it."""
    if not _has_proof(mutant):
        return bool(mutant.check) and set(mutant.check.answer) == {o.oid for o in mutant.correct_options}  # type: ignore[union-attr]
    try:
        if proof is None or mutant.numeric or mutant.arrangement:
            return prove(mutant, None, classifier, memory).proved
    except ProofError:
        return False
    return replace(proof, key=frozenset(option.oid for option in mutant.correct_options)).proved


def _has_proof(item: Item) -> bool:
    return bool(item.check and item.check.fn)


def _list_instances(item: Item, draws: int) -> list[Item]:
    drawn = [draw_instance(item, str(seed)) for seed in range(draws)] if item.template else []
    return list({repr(instance.drawn): instance for instance in [item, *drawn]}.values())


def _describe(instance: Item, key: str) -> Survivor:
    return Survivor(instance.id, dict(instance.drawn), key, EXPLANATIONS.get((instance.id, key)))


def summarize(outcomes: Mapping[str, Outcome], draws: int, skipped: Sequence[str]) -> dict[str, Any]:
    """Return the counts, and each survivor with its explanation."""
    survivors = [survivor for outcome in outcomes.values() for survivor in outcome.survivors]
    return {
        "items": len(outcomes),
        "draws": draws,
        "wrong_keys": sum(outcome.tried for outcome in outcomes.values()),
        "survivors": [vars(survivor) for survivor in survivors],
        "unexplained": sum(survivor.explanation is None for survivor in survivors),
        "skipped": list(skipped),
        "date": time.strftime("%Y-%m-%d"),
    }


def main() -> None:
    """Try all wrong keys, write the result, and fail if one survives without an explanation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--items", nargs="*", help="ids of items; all by default")
    parser.add_argument("--output", type=Path, default=RESULT)
    chosen = parser.parse_args()
    from sentiment_gru import SentimentClassifier

    classifier = SentimentClassifier.from_pretrained()
    items = [item for item in load_bank().items if not chosen.items or item.id in chosen.items]
    outcomes, skipped, counts = {}, [], Counter[str]()
    for item in items:
        try:
            outcomes[item.id] = outcome = try_keys(item, chosen.draws, classifier)
        except NotInstalledError as error:
            skipped.append(f"{item.id}: {error}")
            continue
        counts[item.type] += outcome.tried
        print(f"{item.id}: {outcome.tried} wrong keys, {len(outcome.survivors)} not noticed", flush=True)
    print(", ".join(f"{count} of {kind} items" for kind, count in counts.items()))
    result = summarize(outcomes, chosen.draws, skipped)
    chosen.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if result["unexplained"]:
        sys.exit(f"{result['unexplained']} wrong keys are not noticed: see {chosen.output}")


if __name__ == "__main__":
    main()
