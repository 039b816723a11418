r"""Conversion of question texts: HTML to a bank's Markdown and back, and a bank's Markdown to Moodle's and back.

Formulas are written `$...$` in a bank, and `\(...\)`, `\[...\]` or `$$...$$` on learning platforms. In Moodle's
Markdown, special characters of a formula need a backslash, as Moodle converts Markdown to HTML first and draws formulas
afterwards.
"""

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdownify import MarkdownConverter

from ..formats import UnreadableError

_HTML_FORMULA = re.compile(r"\\\((.+?)\\\)|\\\[(.+?)\\\]|\$\$(.+?)\$\$", re.DOTALL)
_HTML_SPECIAL = re.compile(r"[\\`*_\[\]<>]")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ADDRESS_CHARACTERS = "/:?&=#%@$+,;~!*'-._"
_RENDERER = MarkdownIt("commonmark", {"html": False, "xhtmlOut": True}).enable("table")
_WEB_ADDRESS = re.compile(r"https?://[^\s<>()]+")


class _Converter(MarkdownConverter):
    """The converter of markdownify with formulas, and with links to http and https only."""

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
        """Return the formula of an equation image of Canvas, or a picture with its address as it is in the HTML."""
        if formula := el.get("data-equation-content"):
            return f"${' '.join(formula.split())}$"
        return f"![{_escape_text(el.get('alt') or '')}]({quote(el.get('src') or '', safe=_ADDRESS_CHARACTERS)})"

    def convert_table(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Return a table.

        Raises:
            UnreadableError: It has merged cells or a table within, which Markdown cannot express.
        """
        if el.find("table") or any(
            cell.get(span, "1").strip() not in ("", "1")
            for cell in el.find_all(["td", "th"])
            for span in ("colspan", "rowspan")
        ):
            raise UnreadableError("it has a table with merged cells or a table within, which this quiz cannot show")
        return super().convert_table(el, text, parent_tags)  # type: ignore[misc]

    def convert_td(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Return a cell, whose own vertical bars must not end it."""
        return super().convert_td(el, _escape_bars(text), parent_tags)  # type: ignore[misc]

    def convert_th(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Return a cell of the header."""
        return super().convert_th(el, _escape_bars(text), parent_tags)  # type: ignore[misc]

    def convert_sup(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Return raised text as a formula, as 10 with a raised 5 must not become 105."""
        return self._shift("^", text)

    def convert_sub(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Return lowered text as a formula."""
        return self._shift("_", text)

    def _shift(self, sign: str, text: str) -> str:
        if text.strip() and not re.fullmatch(r"[\w+\-−., ()]+", text):
            raise UnreadableError("it has raised or lowered text with markup, which this quiz cannot show")
        return f"${sign}{{{text.strip()}}}$" if text.strip() else ""

    def convert_video(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Raise UnreadableError, as a question may depend on what is left out."""
        raise UnreadableError(f"it has an embedded <{el.name}>, which this quiz cannot show")

    convert_audio = convert_iframe = convert_object = convert_embed = convert_math = convert_video

    def convert_script(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Drop an element that a browser does not show."""
        return ""

    convert_style = convert_title = convert_script


def html_to_markdown(html: str) -> str:
    """Return HTML as Markdown; elements without a counterpart are replaced by their text.

    Raises:
        UnreadableError: It has a table or an embedded part that Markdown cannot express.
    """
    html = _CONTROL_CHARACTERS.sub("", html)
    try:
        # The enclosing element keeps Beautiful Soup from warning about texts that look like a file name.
        converter = _Converter(bullets="-", heading_style="atx", code_language_callback=_language_of)
        markdown = converter.convert(f"<div>{html}</div>")
    except RecursionError:
        return _escape_text(unescape(re.sub(r"<[^>]*>", "", html))).strip()
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+$", "", markdown, flags=re.MULTILINE)).strip()


def _language_of(element: Any) -> str:
    code = element.find("code")
    names = code.get("class") or [] if code else []
    return next((name.removeprefix("language-") for name in names if re.fullmatch(r"language-\w+", name)), "")


def _escape_bars(text: str) -> str:
    """Return the text of a cell with escaped bars; in a formula, a bar is written as a command."""
    formulas = re.sub(r"\$[^$]+\$", lambda match: match[0].replace("|", r"\vert "), text)
    return re.sub(r"(?<!\\)\|", r"\|", formulas)


def markdown_to_html(markdown: str, inline: bool = False) -> str:
    r"""Return a bank's Markdown as XHTML with formulas as `\(...\)`; HTML within it is shown as text.

    Args:
        markdown: The text.
        inline: Leave out the enclosing paragraph, for a text of one line.
    """
    moodle = bank_to_moodle(markdown)
    return (_RENDERER.renderInline(moodle) if inline else _RENDERER.render(moodle)).strip()


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
