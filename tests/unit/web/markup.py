"""Helpers of the tests of views: a prediction, and the words, tags and attributes of a page."""

import re
from html import unescape
from html.parser import HTMLParser

from sentiment_gru import Prediction

MARKUP = '<img src=x onerror="alert(1)">'
VERDICT_TAGS = {"p", "strong", "div", "span", "table", "caption", "tr", "th", "td"}
VERDICT_ATTRIBUTES = {"class", "style", "role", "scope", "aria-label"}


def make_prediction(scores: dict[str, float], **changes: object) -> Prediction:
    """Return a certain verdict on four known tokens, with changes."""
    values = {"uncertain": False, "tokens": 4, "unknown_tokens": 0, "truncated_tokens": 0}
    return Prediction(max(scores, key=scores.__getitem__), scores, **(values | changes))


def strip_tags(html: str) -> str:
    """Return the text of HTML, with whitespace as it stands in the source."""
    return unescape(re.sub("<[^>]*>", "", html))


def read_words(html: str) -> str:
    """Return the text of HTML, with a space for every tag and run of whitespace."""
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]*>", " ", html))).strip()


class Tags(HTMLParser):
    """Collect the tags and attributes that a browser would find."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Add one tag."""
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
