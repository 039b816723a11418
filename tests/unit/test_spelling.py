"""Misspelled forms of words."""

from hypothesis import given
from hypothesis import strategies as st

from sentiment_gru.spelling import NEIGHBOURS, misspellings


def test_keys_touch_one_another_and_never_themselves() -> None:
    assert set(NEIGHBOURS["g"]) == set("fhtyvb")
    assert set(NEIGHBOURS["q"]) == set("wa")
    assert all(key in NEIGHBOURS[other] and key != other for key in NEIGHBOURS for other in NEIGHBOURS[key])


def test_a_word_has_a_form_for_each_mistake_at_each_place() -> None:
    assert misspellings("bop") == {
        "dropped": ["bp", "bo"],
        "doubled": ["boop", "bopp"],
        "swapped": ["bpo"],
        "replaced": ["bip", "bpp", "bkp", "blp", "boo", "bol"],
    }
    assert misspellings("too")["swapped"] == []  # the form is the word itself


@given(st.text("abcdelt'É", min_size=1, max_size=12))
def test_every_form_differs_in_one_place_and_keeps_the_first_letter(word: str) -> None:
    changes = {"dropped": -1, "doubled": 1, "swapped": 0, "replaced": 0}
    forms = misspellings(word)
    assert list(forms) == list(changes)
    for kind, made in forms.items():
        assert len(made) == len(set(made))
        assert word not in made
        assert all(form[0] == word[0] and len(form) == len(word) + changes[kind] for form in made)
