"""Claims: what an answer states, as a formula over the quantities that a check has measured.

    value("(1 - z) * n + z * h", {"z": 0.25, "n": -0.4, "h": 0.8})       # -0.1
    value("new == h", {"new": 0.3, "h": 0.8})                            # False

A formula knows arithmetic, comparisons, `and`, tuples, texts and the functions below; nothing in it can run code.
Numbers and tensors are equal up to `TOLERANCE`, a number standing for a tensor full of it.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

TOLERANCE = 1e-6

Value = Any
"""A number, a text, a truth value, a tensor, or a tuple of them."""

_OPERATORS: dict[type[ast.AST], Callable[..., Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.USub: operator.neg,
}
_COMPARISONS: dict[type[ast.AST], Callable[[Value, Value], bool]] = {
    ast.Eq: lambda a, b: same(a, b),
    ast.NotEq: lambda a, b: not same(a, b),
    ast.Lt: lambda a, b: _all(a < b),
    ast.LtE: lambda a, b: _all(a <= b + TOLERANCE),
    ast.Gt: lambda a, b: _all(a > b),
    ast.GtE: lambda a, b: _all(a >= b - TOLERANCE),
}
_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "tanh": lambda a: a.tanh() if hasattr(a, "tanh") else math.tanh(a),
    "sigmoid": lambda a: a.sigmoid() if hasattr(a, "sigmoid") else 1 / (1 + math.exp(-a)),
    "softmax": lambda a: a.softmax(-1),
    "relu": lambda a: a.relu(),
    "abs": abs,
    "max": lambda *a: a[0].max() if len(a) == 1 else max(a),
    "min": lambda *a: a[0].min() if len(a) == 1 else min(a),
}


class ClaimError(ValueError):
    """A claim that is no formula, or names something that was not measured."""


def value(claim: str | float, names: Mapping[str, Value]) -> Value:
    """Return what a claim comes to.

    Args:
        claim: A number, or a formula.
        names: The measured quantities the formula may use.

    Raises:
        ClaimError: If it is no formula, or uses an unknown name.
    """
    if not isinstance(claim, str):
        return claim
    try:
        return _evaluate(ast.parse(claim, mode="eval").body, names)
    except (SyntaxError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError) as error:
        raise ClaimError(f"{claim!r} cannot be computed: {error}") from error


def same(a: Value, b: Value) -> bool:
    """Whether two values are equal, numbers up to `TOLERANCE`."""
    if isinstance(a, tuple | str) or isinstance(b, tuple | str):
        return bool(a == b)
    difference = abs(a - b)
    return bool((difference.max() if hasattr(difference, "max") else difference) <= TOLERANCE)


def _all(truth: Value) -> bool:
    return bool(truth.all() if hasattr(truth, "all") else truth)


def _evaluate(node: ast.AST, names: Mapping[str, Value]) -> Value:
    match node:
        case ast.Constant(value=bool()):
            raise ClaimError("a claim is computed, never just true or false")
        case ast.Constant(value=int() | float() | str()):
            return node.value
        case ast.Name() if node.id in names:
            return names[node.id]
        case ast.Tuple():
            return tuple(_evaluate(part, names) for part in node.elts)
        case ast.BinOp() if type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)](_evaluate(node.left, names), _evaluate(node.right, names))
        case ast.UnaryOp() if type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)](_evaluate(node.operand, names))
        case ast.BoolOp(op=ast.And()):
            return all(_evaluate(part, names) for part in node.values)
        case ast.Compare():
            return _compare(node, names)
        case ast.Call(func=ast.Name(id=name)) if name in _FUNCTIONS and not node.keywords:
            return _FUNCTIONS[name](*(_evaluate(part, names) for part in node.args))
    raise ClaimError(f"{ast.unparse(node)!r} is not known here; known are {', '.join(names)}")


def _compare(node: ast.Compare, names: Mapping[str, Value]) -> bool:
    values = [_evaluate(part, names) for part in (node.left, *node.comparators)]
    for operation, left, right in zip(node.ops, values, values[1:], strict=False):
        if type(operation) not in _COMPARISONS:
            raise ClaimError(f"{ast.unparse(node)!r} uses a comparison that is not known here")
        if not _COMPARISONS[type(operation)](left, right):
            return False
    return True


@dataclass(frozen=True)
class Measurement:
    """What a check found out by running the cell under question.

    Attributes:
        names: The measured quantities that claims may use: numbers, texts, tuples and double-precision tensors.
            A claim that is a value, not a comparison, is compared with the one called `answer`.
        did: What was run, in one sentence.
    """

    did: str
    names: Mapping[str, Any] = field(default_factory=dict)


class NoSuchPartError(ValueError):
    """The cell under question lacks a part that the fact is about, such as a reset gate."""


class NotInstalledError(RuntimeError):
    """A library that the check needs is not installed; the message names it."""
