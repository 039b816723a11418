"""Texts for a teacher to judge: sentences cut out of reviews, short texts recombined, made and misspelled sentences.

The label of a made sentence follows from how it is built. Its words come from `lexicon.toml`, its frame from
`frames.toml`, names, places and identity terms from `terms/`. A seed gives the same sentences again.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from ..data.splits import TextSplit
from ..spelling import misspellings
from ..tokenization import MIN_FREQUENCY

END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])")
TAG = re.compile(r"\s*<br\s*/?>\s*")
FEWEST_WORDS, MOST_WORDS = 4, 30
JOINTS = (" but ", ", and ", ". ", "; ", ", although ", " because ")
SWAPPED = 0.15  # share of the words of a text that are exchanged


def cut_sentences(texts: Iterable[str], count: int, seed: int) -> list[str]:
    """Draw different sentences of 4 to 30 words, at most so many, in the order of their texts."""
    found: dict[str, None] = {}
    for text in texts:
        for line in TAG.split(text):
            for sentence in END.split(line):
                if FEWEST_WORDS <= len(sentence.split()) <= MOST_WORDS:
                    found[sentence.strip()] = None
    sentences = list(found)
    drawn = np.random.default_rng(seed).permutation(len(sentences))[:count]
    return [sentences[i] for i in sorted(drawn)]


def recombine(texts: Sequence[str], count: int, seed: int) -> list[str]:
    """Return so many texts made of others: a part of one, two joined, or one with words of another.

    What such a text says is for a teacher to judge. Source: Tang et al. 2019, "Distilling Task-Specific Knowledge from
    BERT into Simple Neural Networks", who mask words, exchange them and sample n-grams.

    Args:
        texts: short texts.
        count: different texts to return; fewer if there are not so many.
        seed: of what is drawn.
    """
    draws = np.random.default_rng(seed)
    words = [text.split() for text in texts if len(text.split()) <= MOST_WORDS]
    words = [found for found in words if len(found) >= FEWEST_WORDS]
    made: dict[str, None] = {}
    for _ in range(5 * count if words else 0):
        if len(made) == count:
            break
        first, second = (words[i] for i in draws.integers(len(words), size=2))
        way = draws.integers(3)
        if way == 0:
            start, end = sorted(draws.choice(len(first) + 1, size=2, replace=False))
            made[" ".join(first[start:end])] = None
        elif way == 1:
            joint = JOINTS[int(draws.integers(len(JOINTS)))]
            made[" ".join(first).rstrip(" .!?") + joint + " ".join(second)] = None
        else:
            exchanged = draws.random(len(first)) < SWAPPED
            other = draws.integers(len(second), size=len(first))
            made[" ".join(second[o] if x else word for word, x, o in zip(first, exchanged, other, strict=True))] = None
    return list(made)


MOST_EMOJI = 3  # at the end of a sentence
Item = TypeVar("Item")
SHARED_WORDS = 5  # no made sentence has so many words in a row in common with a held-out text
FOLDER = Path(__file__).parent
SLOT = re.compile(r"\{([a-z_]+)\}")
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
POSITIVE, NEUTRAL, NEGATIVE = "positive", "neutral", "negative"
EMOJI = {  # by what most people mean by them
    emoji: label
    for label, listed in (
        (
            POSITIVE,
            "😀 😃 😄 😁 😆 😊 🙂 😍 🥰 😘 😎 🤩 🥳 😇 🤗 😂 🤣 👍 👏 🙌 "
            "🙏 💪 💯 🎉 🎊 ✨ 🌟 ⭐ 🏆 ❤ 🧡 💛 💚 💙 💜 💖 💕 😻 ☺",
        ),
        (NEUTRAL, "😐 🤔 📅 📦 📍 🕒 📎 🚗 🚆 🚲 ✈ 📷 📱 💻 📚 🏠 🏢 ☕ 🍞 🌧 🚪 🔑 📝 📞"),
        (NEGATIVE, "😡 😠 🤬 😢 😭 😞 😔 😟 🙁 ☹ 😣 😖 😫 😩 😤 😒 🙄 👎 💔 🤮 🤢 😱 😨 😰 🤦 💩 😾 😿"),
    )
    for emoji in listed.split()
}
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


def add_emoji(sentences: TextSplit, count: int, seed: int) -> TextSplit:
    """Return so many texts of emoji alone and of sentences with emoji at their end.

    The emoji decide the label of a neutral sentence; a sentence with an opinion gets emoji of the same or of none.

    Args:
        sentences: labelled sentences.
        count: different texts to return; fewer if there are not so many.
        seed: of what is drawn.
    """
    draws = np.random.default_rng(seed)
    emoji, rows = list(EMOJI), range(len(sentences))
    found: dict[str, str] = {}
    for number in range(20 * count):
        if len(found) == count:
            break
        chosen = emoji[int(draws.integers(len(emoji)))]
        label, text = EMOJI[chosen], chosen * int(draws.integers(1, MOST_EMOJI + 1))
        if number % 5:  # four of five stand after a sentence
            row = rows[int(draws.integers(len(rows)))]
            said = sentences.labels[row]
            if NEUTRAL not in (said, label) and said != label:
                continue
            label = label if said == NEUTRAL else said
            text = f"{sentences.texts[row]} {text}"
        found.setdefault(text, label)
    return TextSplit(list(found), list(found.values()))


# Not parts of addresses, names, hash signs and placeholders, nor what stands before the 't of a negation.
LONG_WORD = re.compile(r"(?<![\w@#/.\[])[A-Za-z]{4,}(?![\w@/'\u2019]|://|\.\w)")
MOST_MISSPELLED = 2  # words of a text
VOWELS = frozenset("aeiou")
REPEATS = (3, 4, 5)  # times that a vowel is written, as in "soooo"


def misspell(texts: TextSplit, count: int, seed: int) -> TextSplit:
    """Return so many texts with one or two misspelled words, and the label of the text without mistakes.

    A letter is dropped, doubled, swapped with the next, or replaced by that of a neighbouring key, or a vowel is
    repeated. Source: Pruthi et al. 2019, "Combating Adversarial Misspellings with Robust Word Recognition", who
    train on such mistakes.

    Args:
        texts: labelled texts.
        count: different texts to return; fewer if there are not so many.
        seed: of what is drawn.
    """
    draws = np.random.default_rng(seed)
    uses = Counter(word.lower() for text in texts.texts for word in LONG_WORD.findall(text))
    found: dict[str, str] = {}
    for _ in range(20 * count if len(texts) else 0):
        if len(found) == count:
            break
        row = int(draws.integers(len(texts)))
        text = texts.texts[row]
        words = list(LONG_WORD.finditer(text))
        number = min(len(words), int(draws.integers(1, MOST_MISSPELLED + 1)))
        for i in sorted(draws.choice(len(words), size=number, replace=False), reverse=True) if words else ():
            start, end = words[i].span()
            text = text[:start] + misspell_word(words[i][0], uses, draws) + text[end:]
        if text != texts.texts[row]:
            found.setdefault(text, texts.labels[row])
    return TextSplit(list(found), list(found.values()))


def misspell_word(word: str, uses: Mapping[str, int], draws: np.random.Generator) -> str:
    """Draw a kind of mistake and one of its forms of a word; the word itself if every form is another word.

    Args:
        word: a word of any case.
        uses: how often each lower-case word occurs; one that occurs `MIN_FREQUENCY` times is no misspelled form.
        draws: what the form is drawn with.
    """
    repeated = [
        word[:i] + times * letter + word[i + 1 :]
        for i, letter in enumerate(word)
        if letter.lower() in VOWELS
        for times in REPEATS
    ]
    forms = (misspellings(word) | {"repeated": repeated}).values()
    kinds = [[form for form in made if uses.get(form.lower(), 0) < MIN_FREQUENCY] for made in forms]
    kinds = [made for made in kinds if made]
    if not kinds:
        return word
    chosen = kinds[int(draws.integers(len(kinds)))]
    return chosen[int(draws.integers(len(chosen)))]
