"""Links that open the page with a text in it. The text stands in the fragment, which browsers send to no server."""

from urllib.parse import quote


def text_link(text: str, token: int | None = None) -> str:
    """Return the address, relative to the page, that opens a text in the Sentiment tab, with a token chosen.

    Following it in an open page works too: the tab comes to the front and the text is judged.

    >>> text_link("Not bad & <b>", token=1)
    '#text=Not%20bad%20%26%20%3Cb%3E&token=1'
    """
    chosen = "" if token is None else f"&token={token}"
    return f"#text={quote(text, safe='')}{chosen}"
