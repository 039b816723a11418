"""Links that open the page with a text. The text is in the fragment, which browsers do not send to the server."""

from urllib.parse import quote, urlencode


def text_link(text: str, token: int | None = None) -> str:
    """Return the address, relative to the page, that opens a text in the Sentiment tab.

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
