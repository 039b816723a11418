"""Texts made of others: sentences cut out of reviews, recombined and misspelled texts, and sentences with emoji.

A seed gives the same texts again.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from ..data.splits import TextSplit
from ..spelling import misspellings
from ..tokenization import MIN_FREQUENCY
from .grammar import NEGATIVE, NEUTRAL, POSITIVE

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
SHARED_WORDS = 5  # no made sentence has so many words in a row in common with a held-out text
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
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


def misspell(texts: Sequence[str], count: int, seed: int) -> dict[str, str]:
    """Return so many texts with one or two misspelled words, each with the text without mistakes.

    A letter is dropped, doubled, swapped with the next, or replaced by that of a neighbouring key, or a vowel is
    repeated. Source: Pruthi et al. 2019, "Combating Adversarial Misspellings with Robust Word Recognition", who
    train on such mistakes.

    Args:
        texts: texts with correct words.
        count: different texts to return; fewer if there are not so many.
        seed: of what is drawn.
    """
    draws = np.random.default_rng(seed)
    uses = Counter(word.lower() for text in texts for word in LONG_WORD.findall(text))
    found: dict[str, str] = {}
    for _ in range(20 * count if len(texts) else 0):
        if len(found) == count:
            break
        text = correct = texts[int(draws.integers(len(texts)))]
        words = list(LONG_WORD.finditer(text))
        number = min(len(words), int(draws.integers(1, MOST_MISSPELLED + 1)))
        for i in sorted(draws.choice(len(words), size=number, replace=False), reverse=True) if words else ():
            start, end = words[i].span()
            text = text[:start] + misspell_word(words[i][0], uses, draws) + text[end:]
        if text != correct:
            found.setdefault(text, correct)
    return found


def misspell_word(word: str, uses: Mapping[str, int], draws: np.random.Generator) -> str:
    """Draw a kind of mistake and one of its forms of a word; the word itself if every form is another word.

    Args:
        word: a word of any case.
        uses: how often each lower-case word occurs; one that occurs `MIN_FREQUENCY` times is not a misspelling.
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
