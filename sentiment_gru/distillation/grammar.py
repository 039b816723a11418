"""Made sentences whose label follows from how they are built: negation, change, contrast, comparison, fact and others.

The words stand in `lexicon.toml`, the frames in `frames.toml`, the names, places and identity terms in `terms/`. A
sentence is drawn by choosing a frame and then a word for each of its slots, so that a seed gives the same ones again.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
SHARED_WORDS = 5  # no made sentence has so many words in a row in common with a held-out text
FOLDER = Path(__file__).parent
SLOT = re.compile(r"\{([a-z_]+)\}")
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
POSITIVE, NEUTRAL, NEGATIVE = "positive", "neutral", "negative"
TENSES = {"is": ("is", "isn't", "is not"), "was": ("was", "wasn't", "was not")}

LISTS = {  # where a slot's words stand, unless in the list of its name
    "thing": "things",
    "name": "first_names",
    "place": "places",
    "identity": "identities",
    "person": "people",
    "neutral_event": "neutral_events",
    "neutral_verb": "neutral_verbs",
    "neutral_person": "neutral_people",
}
SHARES = {"same": 0.26, "flip": 0.28, "double": 0.06, "facts": 0.28, "identities": 0.12}  # of the kinds of frames
NEUTRAL_KINDS = ("facts", "identities")


@cache
def lexicon() -> Mapping[str, tuple[str, ...]]:
    """Return the lists of words by name."""
    lists = tomllib.loads((FOLDER / "lexicon.toml").read_text(encoding="utf-8"))
    found = {name: tuple(" ".join(word.split()) for word in text.split(",")) for name, text in lists.items()}
    return found | {name: terms(name) for name in ("identities", "first_names", "places")}


@cache
def frames() -> Mapping[str, tuple[str, ...]]:
    """Return the frames by kind."""
    lists = tomllib.loads((FOLDER / "frames.toml").read_text(encoding="utf-8"))
    return {kind: tuple(text.strip().splitlines()) for kind, text in lists.items()}


@cache
def terms(name: str) -> tuple[str, ...]:
    """Return the terms of one list: identities, first_names or places."""
    lines = (FOLDER / "terms" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line.strip() for line in lines if line.strip())


class Grammar:
    """Draws sentences; equal seeds give equal sentences."""

    def __init__(self, seed: int) -> None:
        self.draws = np.random.default_rng(seed)

    def sentences(self, count: int) -> dict[str, str]:
        """Return so many different sentences and their labels, each kind of frame in a fixed share.

        The neutral ones are two fifths: facts, questions, and statements of who somebody is.
        """
        kinds, shares = list(SHARES), list(SHARES.values())
        found: dict[str, str] = {}
        for _ in range(20 * count):
            if len(found) == count:
                break
            kind = kinds[self.draws.choice(len(kinds), p=shares)]
            text, label = self.sentence(self.choose(frames()[kind]), kind)
            found.setdefault(text, label)
        return found

    def sentence(self, frame: str, kind: str) -> tuple[str, str]:
        """Fill the slots of a frame of some kind and return the text with its label."""
        polarity = POSITIVE if self.draws.random() < 0.5 else NEGATIVE
        opposite = NEGATIVE if polarity == POSITIVE else POSITIVE
        be = self.choose(tuple(TENSES.values()))

        def fill(match: re.Match[str]) -> str:
            slot = match[1]
            polar = {"adj": "adjectives", "verb": "verbs", "past": "pasts", "event": "events"}
            if slot in polar:
                return self.word(f"{polarity}_{polar[slot]}")
            if slot.startswith("anti"):
                return self.word(f"{opposite}_{polar[slot.removeprefix('anti').strip('_') or 'adj']}")
            if slot in ("be", "isnt", "were"):
                return {"be": be[0], "isnt": be[1 + int(self.draws.integers(2))], "were": "were"}[slot]
            return self.plain(slot)

        text = frame
        while SLOT.search(text):  # events have slots of their own
            text = SLOT.sub(fill, text)
        text = re.sub(r"\b([Aa]) (?=[aeiouAEIO])", r"\1n ", text)
        if frame[:1].isupper() or (frame.startswith("{") and "." in frame):
            text = text[:1].upper() + text[1:]
        return text, NEUTRAL if kind in NEUTRAL_KINDS else opposite if kind == "flip" else polarity

    def plain(self, slot: str) -> str:
        """Return a word for a slot without a polarity."""
        if slot == "number":
            return str(self.draws.integers(2, 60))
        if slot == "year":
            return str(self.draws.integers(1900, 2026))
        return self.word(LISTS.get(slot, slot))

    def word(self, name: str) -> str:
        """Draw a word of a list."""
        return self.choose(lexicon()[name])

    def choose(self, items: Sequence[Item]) -> Item:
        """Draw one of the items."""
        return items[int(self.draws.integers(len(items)))]


def without_runs(texts: Iterable[str], held_out: Iterable[str]) -> list[str]:
    """Return the texts that share no run of `SHARED_WORDS` words with a held-out text."""
    runs: dict[tuple[str, ...], list[str]] = {}
    kept = dict.fromkeys(texts)
    for text in kept:
        for run in word_runs(text):
            runs.setdefault(run, []).append(text)
    for other in held_out:
        for run in word_runs(other):
            for text in runs.pop(run, ()):
                kept.pop(text, None)
    return list(kept)


def word_runs(text: str) -> Collection[tuple[str, ...]]:
    """Return all runs of `SHARED_WORDS` words, in lower case and without marks."""
    words = WORD.findall(text.lower().replace("\u2019", "'"))
    return {tuple(words[i : i + SHARED_WORDS]) for i in range(len(words) - SHARED_WORDS + 1)}
