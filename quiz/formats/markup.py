r"""HTML, in which most questions of learning platforms are written, as the Markdown of a bank.

Kept are paragraphs, line breaks, bold, italics, code, lists, links and formulas (`\( \)`, `\[ \]` and `$$ $$`). Of
pictures the words remain. Needs lxml.
"""

import re
from collections.abc import Callable
from html import unescape

from lxml import etree
from lxml import html as lxml_html

_FORMULA = re.compile(r"\\\((.+?)\\\)|\\\[(.+?)\\\]|\$\$(.+?)\$\$", re.DOTALL)
_HTML_MARKS = re.compile(r"[\\`*_\[\]<>]")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_DEEPEST = 100
_AROUND = {"b": "**", "strong": "**", "i": "*", "em": "*"}
_BLOCK_TAGS = {"p", "div", "ul", "ol", "table", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"}
_UNSEEN = {"script", "style", "head", "title"}


def html_to_markdown(html: str) -> str:
    """Return the Markdown of a piece of HTML; markup it does not know leaves its text."""
    html = _UNPRINTABLE.sub("", html)
    if not html.strip():
        return ""
    root = lxml_html.fragment_fromstring(html, create_parent="div")
    if root.xpath(f"boolean(//*[count(ancestor::*) > {_DEEPEST}])"):  # past some depth the parser drops words
        return _words(unescape(re.sub(r"<[^>]*>", "", html))).strip()
    text = _inside(root)
    text = re.sub(r"[^\S\n]*\n[^\S\n]*(?=\n)", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def auto_to_markdown(text: str) -> str:
    """Return the Markdown of text in Moodle's auto-format: HTML in which a line break is a line break."""
    return html_to_markdown(re.sub(r"\r?\n", "<br>", text.strip()))


def _inside(element: etree._Element) -> str:
    return _words(element.text) + "".join(_element(child) + _words(child.tail) for child in element)


def _element(element: etree._Element) -> str:
    tag = element.tag
    if not isinstance(tag, str) or tag in _UNSEEN:  # comments have no name
        return ""
    if tag == "pre":
        return f"\n\n```\n{_plain(element)}\n```\n\n"
    if tag in ("code", "tt", "kbd"):
        code = _plain(element)
        return f"`{code}`" if code.strip() and "`" not in code else _escaped(code)
    if tag == "br":
        return "\n"
    if tag == "img":
        return _escaped(str(element.get("alt") or "(picture)"))
    inside = _inside(element)
    if tag in _AROUND and inside.strip():
        return f"{_AROUND[tag]}{inside.strip()}{_AROUND[tag]}"
    if tag == "a" and re.match(r"https?://[^\s<>()]+$", str(element.get("href"))):
        return f"[{inside}]({element.get('href')})"
    if tag == "li":
        return f"\n- {inside.strip()}"
    return f"\n\n{inside}\n\n" if tag in _BLOCK_TAGS else inside


def _plain(element: etree._Element) -> str:
    return "".join(map(str, element.itertext())).strip("\n")


def _words(text: str | None) -> str:
    """Return text with its formulas between dollar signs, and with all that Markdown would take for its own escaped."""
    if not text:
        return ""
    done, parts = 0, []
    for found in _FORMULA.finditer(text):
        formula = " ".join((found[1] or found[2] or found[3]).split())
        parts += [_escaped(text[done : found.start()]), f"${formula}$"]
        done = found.end()
    return "".join([*parts, _escaped(text[done:])])


def _escaped(text: str) -> str:
    return _HTML_MARKS.sub(r"\\\g<0>", re.sub(r"\s+", " ", text))


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
