r"""HTML, in which most questions of learning platforms are written, as the Markdown of a bank.

Kept are paragraphs, line breaks, bold, italics, code, lists, links and formulas (`\( \)`, `\[ \]` and `$$ $$`). Of
pictures the words remain. Needs lxml.
"""

import re
from html import unescape

from lxml import etree
from lxml import html as lxml_html

_FORMULA = re.compile(r"\\\((.+?)\\\)|\\\[(.+?)\\\]|\$\$(.+?)\$\$", re.DOTALL)
_MARKS = re.compile(r"[\\`*_\[\]<>]")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_DEEPEST = 100
_AROUND = {"b": "**", "strong": "**", "i": "*", "em": "*"}
_BLOCKS = {"p", "div", "ul", "ol", "table", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"}
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
    return f"\n\n{inside}\n\n" if tag in _BLOCKS else inside


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
    return _MARKS.sub(r"\\\g<0>", re.sub(r"\s+", " ", text))
