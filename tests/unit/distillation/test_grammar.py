"""Made sentences: their labels, their slots, and the distance from texts that are held out."""

import re

import pytest

from sentiment_gru.distillation.augmentation import without_runs
from sentiment_gru.distillation.grammar import Grammar, frames, lexicon, subjects, terms
from tests.conftest import REPOSITORY

KINDS = ("same", "events", "flip", "double", "positive", "negative", "facts", "identities")


def test_a_seed_gives_the_same_sentences_again_and_every_slot_is_filled() -> None:
    made = Grammar(3).sentences(2_000)
    assert len(made) == 2_000
    assert made == Grammar(3).sentences(2_000)
    assert made != Grammar(4).sentences(2_000)
    assert not [text for text in made if "{" in text or "  " in text]


def test_the_three_labels_have_like_shares() -> None:
    labels = list(Grammar(0).sentences(3_000).values())
    assert all(0.25 < labels.count(label) / 3_000 < 0.45 for label in ("negative", "neutral", "positive"))


def words(kind: str) -> set[str]:
    """Return the words of all lists of a kind, such as positive_adjectives, in lower case."""
    return {word.lower() for name, found in lexicon().items() if name.endswith(kind) for word in found}


@pytest.mark.parametrize(
    ("frame", "kind", "flips"),
    [("The tea is {adj}.", "same", False), ("The tea isn't {adj}.", "flip", True), ("{adj}", "double", False)],
)
def test_the_label_follows_from_the_adjective_and_the_kind_of_frame(frame: str, kind: str, flips: bool) -> None:
    grammar = Grammar(0)
    for _ in range(50):
        text, label = grammar.sentence(frame, kind)
        adjective = re.sub(r"^The tea (is|isn't) |\.$", "", text).lower()
        is_good = adjective in words("positive_adjectives")
        assert is_good != (adjective in words("negative_adjectives"))
        assert label == ("positive" if is_good != flips else "negative")


def test_facts_and_identities_are_neutral_and_have_no_polar_slot() -> None:
    polar = re.compile(r"\{(adj|anti|verb|past|event|positive|negative)")
    for kind in ("facts", "identities"):
        assert Grammar(0).sentence(frames()[kind][0], kind)[1] == "neutral"
        assert not [frame for frame in frames()[kind] if polar.search(frame)]
    assert tuple(frames()) == KINDS


def test_a_frame_of_ratings_has_the_label_of_its_kind() -> None:
    for kind in ("positive", "negative"):
        assert {Grammar(seed).sentence(frames()[kind][0], kind)[1] for seed in range(20)} == {kind}


def test_words_of_a_subject_are_drawn_together() -> None:
    grammar = Grammar(0)
    for _ in range(100):
        text, _ = grammar.sentence("The {thing} {event}.", "events")
        if grammar.subject:
            assert text.startswith(tuple(f"The {thing} " for thing in lexicon()[f"{grammar.subject}_things"]))
    assert len(subjects()) == 8


def test_every_slot_is_a_list_and_no_two_lists_of_a_subject_contradict_each_other() -> None:
    for kind, found in frames().items():
        for frame in found:
            assert "{" not in Grammar(0).sentence(frame, kind)[0], frame
    for kind in ("adjectives", "verbs", "pasts", "events"):
        assert not words(f"positive_{kind}") & words(f"negative_{kind}")
    assert min(len(terms("identities")), len(terms("places"))) >= 50
    assert len(terms("first_names")) >= 100


@pytest.mark.parametrize(
    ("half", "kind", "trained"),
    [
        ("frozen", "first_names", "first_names"),
        ("frozen", "places", "places"),
        ("frozen", "identities", "identities"),
        ("frozen", "identities", "people"),
        ("development", "unseen_identities", "identities"),
        ("development", "unseen_identities", "people"),
    ],
)
def test_no_held_back_term_is_trained_on(half: str, kind: str, trained: str) -> None:
    held_back = (REPOSITORY / f"benchmarks/behaviour/{half}/terms/{kind}.txt").read_text(encoding="utf-8").splitlines()
    assert not {term.casefold() for term in terms(trained)} & {term.strip().casefold() for term in held_back}


def test_sentences_that_share_five_words_with_a_held_out_text_go() -> None:
    made = ["The tea in the garden was fine.", "The tea in my garden was fine.", "Fine."]
    assert without_runs(made, ["we had the TEA, in the garden!"]) == made[1:]
    assert without_runs(made, ["in the garden was"]) == made
