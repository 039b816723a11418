"""HTML from the Jinja templates in `templates/`; every value is escaped unless it is already `Markup`."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

PACKAGE = Path(__file__).parent
CLEAR_SCORE = 0.9  # a verdict with this score or more is called clear
# Labels with a colour of their own (theme.py); all others share the accent.
TONES = {
    "negative": "negative",
    "neg": "negative",
    "neutral": "neutral",
    "positive": "positive",
    "pos": "positive",
}


@cache
def environment() -> Environment:
    """Return the Jinja environment of the web package: autoescape on, undefined names refused."""
    environment = Environment(
        loader=FileSystemLoader(PACKAGE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "excerpt": excerpt,
        "percent": percent,
        "plural": plural,
        "quoted": quote_label,
        "signed": format_signed,
        "tone": tone,
    }
    return environment


def render(template: str, **context: Any) -> Markup:
    """Return the HTML of a template.

    Args:
        template: A file name under `templates/`, such as "verdict.html".
        context: The values of the template. Strings are escaped, `Markup` is not.

    Raises:
        jinja2.UndefinedError: The template uses a name that the context lacks.
    """
    return Markup(environment().get_template(template).render(context))


def render_note(message: str, css: str = "why-note") -> Markup:
    """Return a paragraph with one message.

    Args:
        message: Plain text.
        css: The classes of the paragraph.
    """
    return render("note.html", message=message, css=css)


def render_table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], source: object = None) -> Markup:
    """Return a table that scrolls if it is too wide.

    Args:
        caption: The caption.
        heads: The heads of the columns.
        rows: The cells of each row.
        source: The origin of the figures, shown below the table; an `inside.measurements.Source`, or None.
    """
    return render("inside/table.html", caption=caption, heads=heads, rows=rows, source=source)


def read_static(name: str) -> str:
    """Return the text of a file under `static/`."""
    return (PACKAGE / "static" / name).read_text(encoding="utf-8")


def render_script(name: str) -> Markup:
    """Return a script element with a file under `static/`."""
    return render("script.html", source=Markup(read_static(name)))


def tone(label: str) -> str:
    """Return the name of a label's colour: "negative", "neutral", "positive" or "other".

    >>> tone("POS"), tone("sports")
    ('positive', 'other')
    """
    return TONES.get(label.strip().lower(), "other")


def quote_label(label: str) -> str:
    """Return a label as it stands in a sentence: in quotation marks, unless it names a sentiment.

    >>> quote_label("positive"), quote_label("sports")
    ('positive', '“sports”')
    """
    return f"“{label}”" if tone(label) == "other" else label


def percent(score: float) -> str:
    """Return a score as a percentage that is 0 or 100 only if the score is exactly 0 or 1.

    >>> percent(0.5), percent(0.0001), percent(0.9999), percent(1)
    ('50.0%', '< 0.1%', '> 99.9%', '100.0%')
    """
    if 0 < score < 0.001:
        return "< 0.1%"
    if 0.999 < score < 1:
        return "> 99.9%"
    return f"{100 * score:.1f}%"


def format_signed(value: float, form: str = "+.2f") -> str:
    """Return a number with a typographic minus sign.

    >>> format_signed(-0.5), format_signed(3, ".1f")
    ('−0.50', '3.0')
    """
    return f"{value:{form}}".replace("-", "−")


def plural(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> plural(1, "row"), plural(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def excerpt(text: str, characters: int) -> str:
    """Return the beginning of a text, with an ellipsis if the rest is left out."""
    return text if len(text) <= characters else f"{text[:characters]}…"


def text_link(text: str, token: int | None = None) -> str:
    """Return the address, relative to the page, that opens a text in the Sentiment tab.

    The text is in the fragment, which browsers do not send to the server.

    In an open page, the link selects the tab and enters the text.

    Args:
        text: The text to enter.
        token: The number of the token to choose, from 0, or None.

    >>> text_link("Not bad & <b>", token=1)
    '#text=Not%20bad%20%26%20%3Cb%3E&token=1'
    """
    return f"#text={quote(text, safe='')}" + ("" if token is None else f"&token={token}")


def inside_link(panel: str, text: str | None = None, token: int | None = None) -> str:
    """Return the address, relative to the page, that opens a card of the tab "Inside the GRU".

    Args:
        panel: The name of a card, such as "cell"; an unknown name opens the tab only.
        text: The text for the card of the trained model.
        token: The number of the token to show, from 0.

    >>> inside_link("unit", "Not bad", token=1)
    '#inside=unit&text=Not%20bad&token=1'
    """
    fields = {"inside": panel, "text": text, "token": token}
    present = {name: value for name, value in fields.items() if value is not None}
    return f"#{urlencode(present, quote_via=quote, safe='')}"
