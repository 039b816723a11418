"""The texts of the recipe: corpora, unlabelled reviews, and made sentences that keep away from held-out ones."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from ..data.soft_labels import SoftLabels
from ..data.sources import load_splits
from ..data.splits import Corpus, TextSplit, held_out, letters
from ..errors import DatasetError
from ..labels import POLES
from .augmentation import without_runs
from .corpora import Sources, read_sources
from .grammar import Grammar
from .recipe import Setting

UNLABELLED = "unsupervised"
REVIEWS, MADE = "imdb", "made"
MADE_CERTAINTY = 0.95
# Most phrases of the trees are short and neutral. All of them would teach that an opinion without a polar word is none.
SHORT_PHRASE = 10  # words
NEUTRAL_SHARE = 0.2  # of the short neutral phrases
Item = TypeVar("Item")


@lru_cache(maxsize=1)
def corpora_of(sources: Sources) -> list[Corpus]:
    """Read the corpora, without the phrases of trees that SST-2 has and without most of the short neutral ones."""
    corpora = {corpus.name: corpus for corpus in read_sources(sources)}
    known = set(corpora["sst2"].train.texts)
    trees = corpora["sst"].train
    rows = [i for i, text in enumerate(trees.texts) if text not in known]
    neutral = [i for i in rows if trees.labels[i] == "neutral" and len(trees.texts[i].split()) < SHORT_PHRASE]
    dropped = set(neutral) - set(drawn(neutral, round(NEUTRAL_SHARE * len(neutral))))
    corpora["sst"] = replace(corpora["sst"], train=trees.take([i for i in rows if i not in dropped]))
    return list(corpora.values())


def short_corpora(setting: Setting) -> list[Corpus]:
    """Return the corpora of short texts."""
    return [corpus for corpus in corpora_of(setting.sources) if corpus.name != REVIEWS]


def cut_evenly(corpus: Corpus, count: int, seed: int) -> Corpus:
    """Return a corpus with at most `count` training texts, drawn at random, at most an equal share of each label."""
    labels, draws = np.array(corpus.train.labels), np.random.default_rng(seed)
    names = sorted(set(corpus.train.labels))
    drawn = [draws.permutation(np.flatnonzero(labels == name))[: count // len(names)] for name in names]
    return replace(corpus, train=corpus.train.take(np.sort(np.concatenate(drawn)).tolist()))


@lru_cache(maxsize=1)
def unlabelled_reviews(sources: Sources) -> list[str]:
    """Return the reviews without a label, less the copies of dev and reported texts."""
    splits = load_splits(sources.imdb)
    if UNLABELLED not in splits:
        raise DatasetError(f"dataset {sources.imdb!r} has no split {UNLABELLED!r}, only {', '.join(splits)}")
    unwanted = held_out(corpora_of(sources))
    return [text for text in dict.fromkeys(splits[UNLABELLED]["text"]) if letters(text) not in unwanted]


def made_sentences(setting: Setting) -> TextSplit:
    """Return sentences of the grammar that share no run of words with a held-out or reported text."""
    made = Grammar(seed=0).sentences(setting.amounts.made)
    reported = (text for c in corpora_of(setting.sources) for text in (c.reported.texts if c.reported else ()))
    kept = without_runs(made, [*reported, *read_held_out(setting.held_out)])
    return TextSplit(kept, [made[text] for text in kept])


def certain(name: str, made: TextSplit) -> SoftLabels:
    """Return soft labels of made texts, nearly certain of the label that follows from how they are made."""
    scores = np.full((len(made), len(POLES)), (1 - MADE_CERTAINTY) / (len(POLES) - 1))
    scores[range(len(made)), [POLES.index(label) for label in made.labels]] = MADE_CERTAINTY
    return SoftLabels(name, made.texts, list(POLES), scores)


def read_held_out(paths: Sequence[str]) -> Iterator[str]:
    """Yield the cells of CSV files and the lines of other files."""
    for path in paths:
        with Path(path).open(encoding="utf-8", newline="") as file:
            if path.endswith(".csv"):
                for row in csv.reader(file):
                    yield from row
            else:
                yield from file


def without_texts(made: TextSplit, held_out: Iterable[str]) -> TextSplit:
    """Return the texts that are not held out as a whole; emoji alone have no run of words."""
    unwanted = {text.strip() for text in held_out}
    return made.take([row for row, text in enumerate(made.texts) if text not in unwanted])


def drawn(items: Sequence[Item], count: int) -> list[Item]:
    """Return at most so many of the items, drawn at random and in their order."""
    rows = np.random.default_rng(0).permutation(len(items))[:count]
    return [items[i] for i in sorted(rows)]
