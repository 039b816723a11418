"""Formulas of a bank: claims over the quantities that a check has measured, and numbers computed from parameters.

    evaluate_claim("(1 - z) * n + z * h", {"z": 0.25, "n": -0.4, "h": 0.8})   # -0.1
    evaluate_claim("new == h", {"new": 0.3, "h": 0.8})                        # False

A formula may use arithmetic, comparisons, `and`, tuples, strings and the functions listed in `_FUNCTIONS`. It is
evaluated from its syntax tree, so it cannot run any other code.

Floating-point results differ between processors in the last digits, so comparisons have tolerances: `==`, `<=` and
`>=` accept a difference of `TOLERANCE`, `<` and `>` require one of more than `NOISE`.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

TOLERANCE = 1e-6
NOISE = 1e-9
DIGITS = 6  # significant digits of a printed number
_MAX_ELEMENTS = 5  # elements of a tensor that are printed
_MAX_BITS = 4096  # of a power of whole numbers
_MAX_DECIMALS = 20

Value = Any
"""A number, a string, a truth value, a tensor, or a tuple of them."""


class ClaimError(ValueError):
    """An error for a claim that is not a valid formula, or uses a quantity that was not measured."""


def _multiply(a: Value, b: Value) -> Value:
    if isinstance(a, tuple | str) or isinstance(b, tuple | str):
        raise ClaimError("a text or a tuple cannot be multiplied")
    return a * b


def _raise_to_power(base: Value, exponent: Value) -> Value:
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * exponent > _MAX_BITS:
        raise ClaimError("the power is too large")
    return base**exponent


def _round(number: Value, decimals: int = 0) -> Value:
    if abs(decimals) > _MAX_DECIMALS:
        raise ClaimError(f"at most {_MAX_DECIMALS} decimals can be kept")
    return round(number, decimals) if decimals else round(number)


_OPERATORS: dict[type[ast.AST], Callable[..., Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: _multiply,
    ast.Div: operator.truediv,
    ast.Pow: _raise_to_power,
    ast.MatMult: operator.matmul,
    ast.USub: operator.neg,
}
_COMPARISONS: dict[type[ast.AST], Callable[[Value, Value], bool]] = {
    ast.Eq: lambda a, b: are_equal(a, b),
    ast.NotEq: lambda a, b: not are_equal(a, b),
    ast.Lt: lambda a, b: _holds_everywhere(a < b - NOISE),
    ast.LtE: lambda a, b: _holds_everywhere(a <= b + TOLERANCE),
    ast.Gt: lambda a, b: _holds_everywhere(a > b + NOISE),
    ast.GtE: lambda a, b: _holds_everywhere(a >= b - TOLERANCE),
}
_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "tanh": lambda a: a.tanh() if hasattr(a, "tanh") else math.tanh(a),
    "sigmoid": lambda a: a.sigmoid() if hasattr(a, "sigmoid") else 1 / (1 + math.exp(-a)),
    "softmax": lambda a: a.softmax(-1),
    "relu": lambda a: a.relu(),
    "abs": abs,
    "max": lambda *a: a[0].max() if len(a) == 1 else max(a),
    "min": lambda *a: a[0].min() if len(a) == 1 else min(a),
    "round": _round,
    "log": math.log,
}


def evaluate_claim(claim: str | float, quantities: Mapping[str, Value]) -> Value:
    """Return the value of a claim.

    Args:
        claim: A number or a formula.
        quantities: The measured quantities that the formula may use, by name.

    Raises:
        ClaimError: If the formula is invalid or uses an unknown name.
    """
    if not isinstance(claim, str):
        return claim
    try:
        return _evaluate(_parse(claim), quantities)
    except (SyntaxError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError) as error:
        raise ClaimError(f"{claim!r} cannot be evaluated: {error}") from error


@lru_cache(maxsize=4096)
def _parse(claim: str) -> ast.expr:
    return ast.parse(claim, mode="eval").body


def are_equal(a: Value, b: Value) -> bool:
    """Return whether two values are equal; numbers and tensors may differ by `TOLERANCE`.

    A number equals a tensor if it equals every element.
    """
    if isinstance(a, tuple | str) or isinstance(b, tuple | str):
        return bool(a == b)
    difference = abs(a - b)
    return bool((difference.max() if hasattr(difference, "max") else difference) <= TOLERANCE)


def format_value(value: Value) -> str:
    """Return a value as text.

    Numbers are rounded to `DIGITS` significant digits; what is below `NOISE` in magnitude is printed as 0, because it
    is rounding error that differs between processors. Of a tensor, the first five elements are printed.
    """
    if hasattr(value, "flatten"):
        numbers = value.flatten().tolist()
        text = ", ".join(_format_number(number) for number in numbers[:_MAX_ELEMENTS])
        return text if len(numbers) == 1 else f"[{text}{', ...' if len(numbers) > _MAX_ELEMENTS else ''}]"
    return _format_number(value) if isinstance(value, float) else str(value)


def _format_number(number: float) -> str:
    return "0" if abs(number) < NOISE else f"{number:.{DIGITS}g}"


def _holds_everywhere(truth: Value) -> bool:
    return bool(truth.all() if hasattr(truth, "all") else truth)


def _evaluate(node: ast.AST, quantities: Mapping[str, Value]) -> Value:
    match node:
        case ast.Constant(value=bool()):
            raise ClaimError("a claim must be computed, not just True or False")
        case ast.Constant(value=int() | float() | str()):
            return node.value
        case ast.Name() if node.id in quantities:
            return quantities[node.id]
        case ast.Tuple():
            return tuple(_evaluate(part, quantities) for part in node.elts)
        case ast.BinOp() if type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)](_evaluate(node.left, quantities), _evaluate(node.right, quantities))
        case ast.UnaryOp() if type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)](_evaluate(node.operand, quantities))
        case ast.BoolOp(op=ast.And()):
            return all(_evaluate(part, quantities) for part in node.values)
        case ast.Compare():
            return _compare(node, quantities)
        case ast.Call(func=ast.Name(id=name)) if name in _FUNCTIONS and not node.keywords:
            return _FUNCTIONS[name](*(_evaluate(part, quantities) for part in node.args))
    raise ClaimError(f"{ast.unparse(node)!r} is unknown; the known quantities are {', '.join(quantities)}")


def _compare(node: ast.Compare, quantities: Mapping[str, Value]) -> bool:
    values = [_evaluate(part, quantities) for part in (node.left, *node.comparators)]
    for operation, left, right in zip(node.ops, values, values[1:], strict=False):
        if type(operation) not in _COMPARISONS:
            raise ClaimError(f"{ast.unparse(node)!r} uses a comparison that is not supported")
        if not _COMPARISONS[type(operation)](left, right):
            return False
    return True
