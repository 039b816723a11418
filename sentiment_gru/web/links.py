"""Links that open the page with a text in it. The text stands in the fragment, which browsers send to no server."""

from urllib.parse import quote, urlencode


def text_link(text: str, token: int | None = None) -> str:
    """Return the address, relative to the page, that opens a text in the Sentiment tab, with a token chosen.

    Following it in an open page works too: the tab comes to the front and the text is judged.

    >>> text_link("Not bad & <b>", token=1)
    '#text=Not%20bad%20%26%20%3Cb%3E&token=1'
    """
    chosen = "" if token is None else f"&token={token}"
    return f"#text={quote(text, safe='')}{chosen}"


def inside_link(panel: str, text: str | None = None, token: int | None = None) -> str:
    """Return the address, relative to the page, that opens a card of the tab "Inside the GRU".

    Args:
        panel: the card's name, such as "cell" (see `inside.cards`); an unknown one opens the tab alone.
        text: what the card of the trained model should read.
        token: which of its tokens to show, counted from 0.

    >>> inside_link("unit", "Not bad", token=1)
    '#inside=unit&text=Not%20bad&token=1'
    """
    given = {"inside": panel} | ({} if text is None else {"text": text}) | ({} if token is None else {"token": token})
    return f"#{urlencode(given, quote_via=quote, safe='')}"
