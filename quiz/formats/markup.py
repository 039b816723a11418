r"""Conversion of question texts: HTML to a bank's Markdown, and a bank's Markdown to Moodle's and back.

Formulas are written `$...$` in a bank, and `\(...\)`, `\[...\]` or `$$...$$` on learning platforms. In Moodle's
Markdown, special characters of a formula need a backslash, as Moodle converts Markdown to HTML first and draws formulas
afterwards.
"""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

from markdownify import MarkdownConverter

_HTML_FORMULA = re.compile(r"\\\((.+?)\\\)|\\\[(.+?)\\\]|\$\$(.+?)\$\$", re.DOTALL)
_HTML_SPECIAL = re.compile(r"[\\`*_\[\]<>]")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_WEB_ADDRESS = re.compile(r"https?://[^\s<>()]+")


class _Converter(MarkdownConverter):
    """The converter of markdownify with formulas, without pictures, and with links to http and https only."""

    def escape(self, text: str, parent_tags: set[str]) -> str:
        """Return text with its formulas between dollar signs and everything else escaped for Markdown."""
        end, parts = 0, []
        for match in _HTML_FORMULA.finditer(text):
            formula = " ".join((match[1] or match[2] or match[3]).split())
            parts += [_escape_text(text[end : match.start()]), f"${formula}$"]
            end = match.end()
        return "".join([*parts, _escape_text(text[end:])])

    def convert_a(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Return a link, or its text if the address is not a web address."""
        href = el.get("href", "")
        return f"[{text}]({href})" if text.strip() and _WEB_ADDRESS.fullmatch(href) else text

    def convert_br(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Return a line break, which a bank's Markdown keeps without trailing spaces."""
        return " " if "_inline" in parent_tags else "\n"

    def convert_img(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Return the description of a picture, as the picture itself is not imported."""
        return _escape_text(el.get("alt") or "(picture)")

    def convert_video(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Return the text of a video without its address."""
        return text

    def convert_script(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Drop an element that a browser does not show."""
        return ""

    convert_style = convert_title = convert_script


def html_to_markdown(html: str) -> str:
    """Return HTML as Markdown; elements without a counterpart are replaced by their text."""
    html = _CONTROL_CHARACTERS.sub("", html)
    try:
        # The enclosing element keeps Beautiful Soup from warning about texts that look like a file name.
        markdown = _Converter(bullets="-", heading_style="atx").convert(f"<div>{html}</div>")
    except RecursionError:
        return _escape_text(unescape(re.sub(r"<[^>]*>", "", html))).strip()
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+$", "", markdown, flags=re.MULTILINE)).strip()


def auto_format_to_markdown(text: str) -> str:
    """Return text in Moodle's auto-format, which is HTML that also keeps line breaks, as Markdown."""
    return html_to_markdown(re.sub(r"\r?\n", "<br>", text.strip()))


def _escape_text(text: str) -> str:
    return _HTML_SPECIAL.sub(r"\\\g<0>", re.sub(r"\s+", " ", text))


_CODE = r"(?P<fence>^```.*?^```[^\S\n]*$)|(?P<code>(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
_BANK_PARTS = re.compile(_CODE + r"|\$(?P<formula>[^$\n]+)\$", re.DOTALL | re.MULTILINE)
_MOODLE_PARTS = re.compile(_CODE + r"|\\\\\((?P<formula>(?:\\.|[^\\])*?)\\\\\)", re.DOTALL | re.MULTILINE)
_FORMULA_SPECIAL = re.compile(r"[\\*_{}\[\]()#>|]")
_FORMULA_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#>|])")
# Characters of formulas as entities. A backtick needs one, as a backslash does not keep it from ending a code span.
_ENTITIES = {"&": "&amp;", "<": "&lt;", "`": "&#96;"}
_LITERAL_OPENING = "&#0092;("  # text that would otherwise begin a formula in Moodle


def bank_to_moodle(markdown: str) -> str:
    """Return a bank's Markdown as Moodle's Markdown; code is unchanged."""
    return _replace_formulas(
        _BANK_PARTS, markdown, _format_moodle_formula, lambda text: text.replace(r"\\(", _LITERAL_OPENING)
    )


def moodle_to_bank(markdown: str) -> str:
    """Return Moodle's Markdown as a bank's Markdown: the inverse of `bank_to_moodle`."""
    return _replace_formulas(
        _MOODLE_PARTS, markdown, _format_bank_formula, lambda text: text.replace(_LITERAL_OPENING, r"\\(")
    )


def _replace_formulas(
    pattern: re.Pattern[str], text: str, convert_formula: Callable[[str], str], convert_text: Callable[[str], str]
) -> str:
    end, parts = 0, []
    for match in pattern.finditer(text):
        parts.append(convert_text(text[end : match.start()]))
        parts.append(match[0] if match["formula"] is None else convert_formula(match["formula"]))
        end = match.end()
    return "".join([*parts, convert_text(text[end:])])


def _format_moodle_formula(tex: str) -> str:
    escaped = _FORMULA_SPECIAL.sub(r"\\\g<0>", tex)
    return rf"\\({''.join(_ENTITIES.get(character, character) for character in escaped)}\\)"


def _format_bank_formula(escaped: str) -> str:
    tex = _FORMULA_ESCAPED.sub(r"\1", escaped)
    for character, entity in reversed(_ENTITIES.items()):  # &amp; last
        tex = tex.replace(entity, character)
    return f"${' '.join(tex.splitlines())}$"
