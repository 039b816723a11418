"""Made sentences: their labels, their slots, and the distance from texts that are held out."""

import re

import pytest

from sentiment_gru.distillation.augmentation import without_runs
from sentiment_gru.distillation.grammar import Grammar, frames, lexicon, terms

KINDS = ("same", "flip", "double", "facts", "identities")


def test_a_seed_gives_the_same_sentences_again_and_every_slot_is_filled() -> None:
    made = Grammar(3).sentences(2_000)
    assert len(made) == 2_000
    assert made == Grammar(3).sentences(2_000)
    assert made != Grammar(4).sentences(2_000)
    assert not [text for text in made if "{" in text or "  " in text]


def test_the_three_labels_have_like_shares() -> None:
    labels = list(Grammar(0).sentences(3_000).values())
    assert all(0.25 < labels.count(label) / 3_000 < 0.45 for label in ("negative", "neutral", "positive"))


@pytest.mark.parametrize(
    ("frame", "kind", "flips"),
    [("The tea is {adj}.", "same", False), ("The tea isn't {adj}.", "flip", True), ("{adj}", "double", False)],
)
def test_the_label_follows_from_the_adjective_and_the_kind_of_frame(frame: str, kind: str, flips: bool) -> None:
    good = [word.lower() for word in lexicon()["positive_adjectives"]]
    grammar = Grammar(0)
    for _ in range(50):
        text, label = grammar.sentence(frame, kind)
        is_good = any(re.search(rf"\b{re.escape(word)}\b", text.lower()) for word in good)
        assert label == ("positive" if is_good != flips else "negative")


def test_facts_and_identities_are_neutral_and_have_no_polar_slot() -> None:
    polar = re.compile(r"\{(adj|anti|verb|past|event)")
    for kind in ("facts", "identities"):
        assert Grammar(0).sentence(frames()[kind][0], kind)[1] == "neutral"
        assert not [frame for frame in frames()[kind] if polar.search(frame)]
    assert tuple(frames()) == KINDS


def test_no_word_is_both_positive_and_negative_and_none_stands_twice() -> None:
    for kind in ("adjectives", "verbs", "pasts", "events"):
        positive, negative = lexicon()[f"positive_{kind}"], lexicon()[f"negative_{kind}"]
        assert len({*positive, *negative}) == len(positive) + len(negative)
    assert min(len(terms("identities")), len(terms("places"))) >= 50
    assert len(terms("first_names")) >= 100


def test_sentences_that_share_five_words_with_a_held_out_text_go() -> None:
    made = ["The tea in the garden was fine.", "The tea in my garden was fine.", "Fine."]
    assert without_runs(made, ["we had the TEA, in the garden!"]) == made[1:]
    assert without_runs(made, ["in the garden was"]) == made
