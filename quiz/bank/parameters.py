"""Parameters of items: numbers that are drawn for each learner and run, and filled into the texts and the key.

    template = {"parameters": {"z": [0.25, 0.75]}, "stem": "At $z=[[z]]$ ...", "key": {"value": "1 - z"}, ...}
    drawn = draw_parameters(template, "a seed")     # {"z": 0.75}
    fill(template, drawn)                           # {"stem": "At $z=0.75$ ...", "key": {"value": 0.25}, ...}

A template is an item of a bank's JSON value. Its texts have formulas in double square brackets, if need be with a
format after a colon, as in `[[z ** k:.2f]]`. The formulas may use the parameters and, in numeric items, the `answer`.
The `value` of a numeric key is a formula, and so are the positions of the `solution` of sliders, and the `claim` of
each anticipated wrong number, which gives its value.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from ..validation import NUMBERS
from .formulas import ClaimError, Value, evaluate_claim

Parameters = Mapping[str, int | float | str]
"""The drawn value of each parameter, by name."""

MAX_TRIES = 200
_DIGITS = 9  # decimals that are kept of a computed number
_PLACEHOLDER = re.compile(r"\[\[(?P<formula>[^\[\]:]+)(?::(?P<format>[^\[\]]+))?\]\]")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_MOST_DIGITS = 4
_SIZES = {"from", "to", "step"}


def draw_parameters(template: Mapping[str, Any], seed: str) -> dict[str, int | float | str]:
    """Return values of a template's parameters for which its conditions hold and its answers differ.

    If none are found in `MAX_TRIES` draws, the values of the example are returned.
    """
    generator = random.Random(seed)
    ranges = {name: list_values(values) for name, values in template["parameters"].items()}
    for _ in range(MAX_TRIES):
        drawn = {name: generator.choice(values) for name, values in ranges.items()}
        if is_suitable(template, drawn):
            return drawn
    return dict(template["example"])


def list_values(values: Sequence[Any] | Mapping[str, float]) -> list[Any]:
    """Return the values of a parameter, which are listed or given as {"from": 0.1, "to": 0.9, "step": 0.1}."""
    if not isinstance(values, Mapping):
        return list(values)
    start, end, step = values["from"], values["to"], values["step"]
    return [_tidy(start + index * step) for index in range(int((end - start) / step + 1.5))]


def is_suitable(template: Mapping[str, Any], drawn: Parameters) -> bool:
    """Return whether the conditions of a template hold, and no two of its answers are equal."""
    if not all(evaluate_claim(condition, drawn) for condition in template.get("conditions", [])):
        return False
    return not list(find_equal_answers(fill(template, drawn)))


def find_equal_answers(raw: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Yield the pairs of options with the same text, and of numbers to which one number of a learner could be near."""
    for one, other in combinations([option["text"] for option in raw.get("options", [])], 2):
        if one == other:
            yield one, other
    if raw["type"] in NUMBERS:
        key = raw["key"]
        tolerance = max(key.get("tolerance", 0), 1e-9)
        for wrong in key.get("anticipated", []):
            if abs(wrong["value"] - key["value"]) <= 2 * tolerance:
                yield key["value"], wrong["value"]
        for one, other in combinations([wrong["value"] for wrong in key.get("anticipated", [])], 2):
            if abs(one - other) <= tolerance:
                yield one, other


def find_ugly_numbers(text: str) -> list[str]:
    """Return the numbers of a text that no teacher would write: more than four digits and a point, or an exponent.

    >>> find_ugly_numbers("0.25, 31872 and 0.0625, but 0.30001 and 1e-05")
    ['0.30001', '1e-05']
    """
    numbers = _NUMBER.findall(text)
    return [n for n in numbers if "e" in n or ("." in n and len(n.replace(".", "").lstrip("0")) > _MOST_DIGITS)]


def fill(template: Mapping[str, Any], drawn: Parameters) -> dict[str, Any]:
    """Return a template with its formulas computed: an item without parameters, which keeps the numbers `drawn`.

    Its claims stay formulas over the parameters, so its proof needs their values.

    Raises:
        ClaimError: A formula is invalid or uses an unknown name.
    """
    values: dict[str, Value] = dict(drawn)
    raw = {name: part for name, part in template.items() if name not in ("parameters", "example", "conditions")}
    raw["drawn"] = dict(drawn)
    if raw.get("type") in NUMBERS:
        raw["key"] = key = dict(raw["key"])
        key["value"] = values["answer"] = _tidy(evaluate_claim(key["value"], values))
        wrong = key.get("anticipated", [])
        if "solution" in key:
            key["solution"] = {name: _tidy(evaluate_claim(claim, values)) for name, claim in key["solution"].items()}
        key["anticipated"] = [entry | {"value": _tidy(evaluate_claim(entry["claim"], values))} for entry in wrong]
    for part, field in (("check", "params"), ("live", "values")):
        if field in raw.get(part, {}):
            numbers = {name: _fill_parameter(value, values) for name, value in raw[part][field].items()}
            raw[part] = raw[part] | {field: numbers}
    return {name: _fill_texts(part, values) for name, part in raw.items()}


def _fill_parameter(value: Any, values: Mapping[str, Value]) -> Any:
    if isinstance(value, list):
        return [_fill_parameter(entry, values) for entry in value]
    match = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
    return _tidy(evaluate_claim(match["formula"], values)) if match else value


def _fill_texts(part: Any, values: Mapping[str, Value]) -> Any:
    if isinstance(part, dict):
        return {name: _fill_texts(value, values) for name, value in part.items()}
    if isinstance(part, list):
        return [_fill_texts(value, values) for value in part]
    if not isinstance(part, str):
        return part
    return _PLACEHOLDER.sub(lambda match: _show(evaluate_claim(match["formula"], values), match["format"]), part)


def _show(value: Value, format_spec: str | None) -> str:
    """Return a value as text.

    Raises:
        ClaimError: The format does not fit the value, or asks for 100 digits or more.
    """
    if format_spec and re.search(r"\d{3}", format_spec):
        raise ClaimError(f"the format {format_spec!r} has too many digits")
    try:
        return format(value, format_spec) if format_spec else str(_tidy(value))
    except (TypeError, ValueError) as error:
        raise ClaimError(f"{value!r} cannot be shown with the format {format_spec!r}: {error}") from error


def _tidy(value: Value) -> Any:
    """Return a number without the rounding error of its computation, and a whole number as an integer."""
    if not isinstance(value, int | float):
        return value
    rounded = round(value, _DIGITS)
    return int(rounded) if float(rounded).is_integer() else rounded
