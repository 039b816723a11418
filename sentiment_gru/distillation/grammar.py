"""Made sentences whose label follows from how they are built.

Their words come from `lexicon.toml`, their frames from `frames.toml`, and names, places and identity terms from
`terms/`. A seed gives the same sentences again. Source: Ribeiro et al. 2020, "Beyond Accuracy: Behavioral Testing of
NLP Models with CheckList".
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
FOLDER = Path(__file__).parent
SLOT = re.compile(r"\{([a-z_]+)\}")
PLURAL = re.compile(r"(ch|sh|x|ss)s\b")  # of a slot with an "s" behind it
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
    "negative_event": "negative_events",
}
POLAR = {"adj": "adjectives", "verb": "verbs", "past": "pasts", "event": "events"}
SHARES = {  # of the kinds of frames
    "same": 0.19,
    "events": 0.11,
    "flip": 0.20,
    "double": 0.05,
    "positive": 0.07,
    "negative": 0.08,
    "facts": 0.20,
    "identities": 0.10,
}
LABELS = {"positive": POSITIVE, "negative": NEGATIVE, "facts": NEUTRAL, "identities": NEUTRAL}  # of kinds of frames
THINGS = "_things"
MIXED_SHARE = 0.3  # of the sentences whose words are those of every subject
GENERAL_SHARE = 0.35  # of the adjectives of a sentence with a subject


@cache
def lexicon() -> Mapping[str, tuple[str, ...]]:
    """Return the lists of words by name."""
    lists = tomllib.loads((FOLDER / "lexicon.toml").read_text(encoding="utf-8"))
    found = {name: tuple(" ".join(word.split()) for word in text.split(",")) for name, text in lists.items()}
    return found | {name: terms(name) for name in ("identities", "first_names", "places")}


@cache
def subjects() -> tuple[str, ...]:
    """Return the subjects of sentences that have words of their own, such as food."""
    return tuple(name.removesuffix(THINGS) for name in lexicon() if name.endswith(THINGS))


@cache
def frames() -> Mapping[str, tuple[str, ...]]:
    """Return the frames by kind."""
    lists = tomllib.loads((FOLDER / "frames.toml").read_text(encoding="utf-8"))
    return {kind: tuple(text.strip().splitlines()) for kind, text in lists.items()}


@cache
def terms(name: str) -> tuple[str, ...]:
    """Return the terms of one list: identities, people, first_names or places."""
    lines = (FOLDER / "terms" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line.strip() for line in lines if line.strip())


class Grammar:
    """Draws sentences; equal seeds give equal sentences."""

    def __init__(self, seed: int) -> None:
        self.draws = np.random.default_rng(seed)
        self.subject: str | None = None

    def sentences(self, count: int) -> dict[str, str]:
        """Return so many different sentences and their labels, each kind of frame in a fixed share."""
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
        self.subject = None if self.draws.random() < MIXED_SHARE else self.choose(subjects())

        def fill(match: re.Match[str]) -> str:
            slot = match[1]
            if slot in POLAR:
                return self.word(f"{polarity}_{POLAR[slot]}")
            if slot.startswith("anti"):
                return self.word(f"{opposite}_{POLAR[slot.removeprefix('anti').strip('_') or 'adj']}")
            if slot in ("be", "isnt", "were"):
                return {"be": be[0], "isnt": be[1 + int(self.draws.integers(2))], "were": "were"}[slot]
            return self.plain(slot)

        text = frame
        while SLOT.search(text):  # events have slots of their own
            text = SLOT.sub(fill, text)
        text = PLURAL.sub(r"\1es", re.sub(r"\b([Aa]) (?=[aeiouAEIO])", r"\1n ", text))
        if frame[:1].isupper() or (frame.startswith("{") and "." in frame):
            text = text[:1].upper() + text[1:]
        return text, LABELS.get(kind, opposite if kind == "flip" else polarity)

    def plain(self, slot: str) -> str:
        """Return a word for a slot that has no polarity of its own."""
        if slot == "number":
            return str(self.draws.integers(2, 60))
        if slot == "year":
            return str(self.draws.integers(1900, 2026))
        if slot.endswith("_lower"):
            words = self.word(slot.removesuffix("_lower"))
            return words if re.match(r"I\b", words) else words[:1].lower() + words[1:]
        return self.word(LISTS.get(slot, slot))

    def word(self, name: str) -> str:
        """Draw a word of a list, or of the list that the subject has in its place."""
        own = f"{self.subject}_{name}"
        if own not in lexicon() or (name.endswith("adjectives") and self.draws.random() < GENERAL_SHARE):
            return self.choose(lexicon()[name])
        return self.choose(lexicon()[own])

    def choose(self, items: Sequence[Item]) -> Item:
        """Draw one of the items."""
        return items[int(self.draws.integers(len(items)))]
