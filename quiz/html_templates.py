"""HTML from the Jinja templates in `templates/`; every value is escaped unless it is already `Markup`."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

PACKAGE = Path(__file__).parent


@cache
def environment() -> Environment:
    """Return the Jinja environment of the quiz: values are escaped, and undefined names are errors."""
    return Environment(
        loader=FileSystemLoader(PACKAGE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, **context: Any) -> Markup:
    """Return the HTML of a template.

    Args:
        template: A file name under `templates/`, such as "topics.html".
        context: The values of the template. Strings are escaped, `Markup` is not.

    Raises:
        jinja2.UndefinedError: The template uses a name that the context lacks.
    """
    return Markup(environment().get_template(template).render(context))


def read_static(name: str) -> str:
    """Return the text of a file under `static/`."""
    return (PACKAGE / "static" / name).read_text(encoding="utf-8")
