"""Links that hold a text in their fragment."""

import re
from urllib.parse import parse_qs

from hypothesis import given
from hypothesis import strategies as st

from sentiment_gru.web.rendering import inside_link, text_link

tokens = st.none() | st.integers(0, 2_000)


@given(st.text(), tokens)
def test_a_link_holds_the_text_in_its_fragment(text: str, token: int | None) -> None:
    for link in (text_link(text, token), inside_link("unit", text, token)):
        assert re.fullmatch(r"#[\w.~%=&-]*", link, flags=re.ASCII)
        fields = parse_qs(link[1:], keep_blank_values=True)
        assert fields["text"] == [text]
        assert fields.get("token") == (None if token is None else [str(token)])
