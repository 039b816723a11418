r"""The Markdown of a bank and the Markdown of Moodle, which differ in how formulas are written.

A bank has them between dollar signs. Moodle's MathJax looks for `\(` and `\)` in the page, after Markdown has taken
its backslashes away: the file needs `\\(`, and a backslash before all that Markdown would read as its own.
"""

import re
from collections.abc import Callable

_BLOCKS = r"(?P<fence>^```.*?^```[^\S\n]*$)|(?P<code>(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
_OURS = re.compile(_BLOCKS + r"|\$(?P<formula>[^$\n]+)\$", re.DOTALL | re.MULTILINE)
_THEIRS = re.compile(_BLOCKS + r"|\\\\\((?P<formula>(?:\\.|[^\\])*?)\\\\\)", re.DOTALL | re.MULTILINE)
_MARKS = re.compile(r"[\\`*_{}\[\]()#>|]")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#>|])")
_BACKSLASHES = "&#0092;"  # stands for what would begin a formula in Moodle, but is none


def to_moodle(markdown: str) -> str:
    """Return a bank's Markdown as Moodle's; code stays as it is."""
    return _exchange(_OURS, markdown, _their_formula, lambda text: text.replace(r"\\(", f"{_BACKSLASHES}("))


def from_moodle(markdown: str) -> str:
    """Return Moodle's Markdown as a bank's: the inverse of `to_moodle`."""
    return _exchange(_THEIRS, markdown, _our_formula, lambda text: text.replace(f"{_BACKSLASHES}(", r"\\("))


def _exchange(pattern: re.Pattern[str], text: str, formula: Callable[[str], str], rest: Callable[[str], str]) -> str:
    done, parts = 0, []
    for found in pattern.finditer(text):
        parts.append(rest(text[done : found.start()]))
        parts.append(found[0] if found["formula"] is None else formula(found["formula"]))
        done = found.end()
    return "".join([*parts, rest(text[done:])])


def _their_formula(tex: str) -> str:
    marked = _MARKS.sub(r"\\\g<0>", tex)
    return rf"\\({marked.replace('&', '&amp;').replace('<', '&lt;')}\\)"


def _our_formula(marked: str) -> str:
    tex = _ESCAPED.sub(r"\1", marked).replace("&lt;", "<").replace("&amp;", "&")
    return f"${' '.join(tex.splitlines())}$"
