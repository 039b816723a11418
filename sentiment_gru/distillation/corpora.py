"""The corpora of the released model, each read as texts with the labels negative, neutral and positive.

Three of them are tables of texts and labels and are read as `train.py` reads any dataset. The other five need more
than the choice of a column, which stands here: emotions become three labels, trees become phrases, objective sentences
and questions become neutral texts, and a dataset without splits is divided.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from ..data.sources import load_splits
from ..data.splits import Corpus, TextSplit, carve_dev, read_corpora, remove_leaks
from ..errors import DatasetError

POSITIVE_EMOTIONS = frozenset({
    "admiration", "amusement", "approval", "caring", "desire", "excitement",
    "gratitude", "joy", "love", "optimism", "pride", "relief",
})  # fmt: skip
NEGATIVE_EMOTIONS = frozenset({
    "anger", "annoyance", "disappointment", "disapproval", "disgust",
    "embarrassment", "fear", "grief", "nervousness", "remorse", "sadness",
})  # fmt: skip
NEUTRAL_EMOTIONS = frozenset(("neutral", "confusion", "curiosity", "realization"))
TREE_LABELS = ("negative", "negative", "neutral", "positive", "positive")  # of the nodes' labels 0 to 4
TREE_MARKS = {"-LRB-": "(", "-RRB-": ")", "``": '"', "''": '"'}
LICENCES = (
    "Licences as their cards state them: go_emotions Apache-2.0, uci_sentences CC BY 4.0, all-MiniLM-L6-v2 Apache-2.0;"
    " those of imdb, sst2, sst, tweets, subj and trec state none."
)
Tables = Mapping[str, Any]  # tables of the library `datasets`, by split
TREE_TOKEN = re.compile(r"\(|\)|[^\s()]+")


@dataclass(frozen=True)
class Sources:
    """The Hub ids or local folders of the corpora."""

    imdb: str = "stanfordnlp/imdb"
    sst2: str = "stanfordnlp/sst2"
    tweets: str = "cardiffnlp/tweet_eval:sentiment"
    go_emotions: str = "google-research-datasets/go_emotions:simplified"
    sst: str = "stanfordnlp/sst:ptb"
    subj: str = "SetFit/subj"
    trec: str = "CogComp/trec"
    uci_sentences: str = "uci_sentences"


def read_sources(sources: Sources) -> list[Corpus]:
    """Read all corpora under the split rule, without copies of dev and reported texts.

    Raises:
        DatasetError: a corpus cannot be read or has other columns than expected.
    """
    readers: Mapping[str, Callable[[Tables], Corpus]] = {
        "go_emotions": read_emotions,
        "sst": read_trees,
        "subj": read_objective,
        "trec": read_questions,
        "uci_sentences": read_uci,
    }
    corpora = []
    for name in (field.name for field in fields(sources)):
        source = getattr(sources, name)
        try:
            corpus = readers[name](load_splits(source)) if name in readers else read_corpora([source])[0]
        except KeyError as error:
            raise DatasetError(f"dataset {source!r}, read as {name}: the split or column {error} is missing") from error
        corpora.append(replace(corpus, name=name))
    return remove_leaks(corpora)


def read_emotions(splits: Tables) -> Corpus:
    """Read GoEmotions: rows whose emotions are all of one polarity (Demszky et al. 2020, without surprise)."""
    parts = {}
    for role in ("train", "validation", "test"):
        names = splits[role].features["labels"].feature.names
        rows = zip(splits[role]["text"], splits[role]["labels"], strict=True)
        judged = ((text, emotion_label([names[i] for i in ids])) for text, ids in rows)
        parts[role] = _split((text, label) for text, label in judged if label)
    return _corpus(parts["train"], parts["validation"], parts["test"])


def emotion_label(emotions: Sequence[str]) -> str | None:
    """Return the one label of the emotions, None if they differ or one of them has no polarity.

    >>> emotion_label(["joy", "love"]), emotion_label(["joy", "fear"]), emotion_label(["surprise"])
    ('positive', None, None)
    """
    groups = {"positive": POSITIVE_EMOTIONS, "negative": NEGATIVE_EMOTIONS, "neutral": NEUTRAL_EMOTIONS}
    return next((label for label, group in groups.items() if emotions and set(emotions) <= group), None)


def read_trees(splits: Tables) -> Corpus:
    """Read the Stanford Sentiment Treebank: all phrases of the training trees, whole sentences elsewhere.

    Source: Socher et al. 2013. Labels 0 and 1 are negative, 2 is neutral, 3 and 4 are positive.
    """
    phrases: dict[str, str] = {}
    for tree in splits["train"]["ptb_tree"]:
        for text, label in tree_phrases(tree):
            phrases.setdefault(text, label)
    sentences = {
        role: _split(tree_phrases(tree)[-1] for tree in splits[role]["ptb_tree"]) for role in ("validation", "test")
    }
    return _corpus(_split(phrases.items()), sentences["validation"], sentences["test"])


def tree_phrases(tree: str) -> list[tuple[str, str]]:
    """Return text and label of each node of a bracketed tree, the whole sentence last.

    >>> tree_phrases("(3 (2 A) (4 gem))")
    [('A', 'neutral'), ('gem', 'positive'), ('A gem', 'positive')]
    """
    found: list[tuple[str, str]] = []
    open_nodes: list[list[str]] = []
    tokens = TREE_TOKEN.findall(tree)
    for previous, token in zip(["", *tokens], tokens, strict=False):
        if token == "(":
            open_nodes.append([])
        elif token == ")":
            label, *words = open_nodes.pop()
            found.append((" ".join(words), TREE_LABELS[int(label)]))
            if open_nodes:
                open_nodes[-1].extend(words)
        elif previous == "(":
            open_nodes[-1].append(token)
        else:
            open_nodes[-1].append(TREE_MARKS.get(token, token).replace("\\/", "/"))
    return found


def read_objective(splits: Tables) -> Corpus:
    """Read the objective sentences of the subjectivity dataset (Pang and Lee 2004) as neutral texts."""
    return _neutral(
        {
            role: [
                text
                for text, label in zip(splits[role]["text"], _names(splits[role], "label"), strict=True)
                if label == "objective"
            ]
            for role in ("train", "test")
        }
    )


def read_questions(splits: Tables) -> Corpus:
    """Read the TREC questions (Li and Roth 2002) as neutral texts."""
    return _neutral({role: list(splits[role]["text"]) for role in ("train", "test")})


def read_uci(splits: Tables) -> Corpus:
    """Read the labelled sentences of product and restaurant reviews (Kotzias et al. 2015).

    Of every ten rows of a label the last two are reported and the one before them is dev.
    """
    seen: dict[str, int] = {}
    parts: dict[str, list[tuple[str, str]]] = {"train": [], "dev": [], "reported": []}
    for text, label in zip(splits["train"]["text"], _names(splits["train"], "label"), strict=True):
        place = seen[label] = seen.get(label, -1) + 1
        parts["train" if place % 10 < 7 else "dev" if place % 10 == 7 else "reported"].append((text, label))
    rule = {"dev": "the eighth of every ten rows of a label", "reported": "the last two of every ten rows of a label"}
    return Corpus("", _split(parts["train"]), _split(parts["dev"]), _split(parts["reported"]), rule)


def _names(dataset: Any, column: str) -> list[str]:
    feature = dataset.features[column]
    return [feature.int2str(value) if hasattr(feature, "int2str") else str(value) for value in dataset[column]]


def _neutral(texts: Mapping[str, Sequence[str]]) -> Corpus:
    parts = {role: TextSplit(list(rows), ["neutral"] * len(rows)) for role, rows in texts.items()}
    train, dev, how = carve_dev(parts["train"])
    return Corpus("", train, dev, parts["test"], {"dev": how, "reported": "test split"})


def _split(rows: Iterable[tuple[str, str]]) -> TextSplit:
    kept = [(text, label) for text, label in rows if text.strip()]
    return TextSplit([text for text, _ in kept], [label for _, label in kept])


def _corpus(train: TextSplit, dev: TextSplit, reported: TextSplit) -> Corpus:
    return Corpus("", train, dev, reported, {"dev": "validation split", "reported": "test split"})
