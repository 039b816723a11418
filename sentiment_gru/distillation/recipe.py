"""The shipped checkpoint's recipe: stages from the datasets to the checkpoint.

Each is skipped if its result is there, but for means and the release, which take minutes and are made anew.

first.parquet       soft labels of IMDB's training and unlabelled reviews by one linear teacher
first-N/            students of those: two GRUs that differ in directions and size
short-N/            GRUs that learn short texts only, by their labels
reviews.parquet     soft labels of the same reviews by linear teacher and students together
sentences.parquet   soft labels of sentences of the unlabelled reviews by all the GRUs
language/           embeddings and cells that have learned to guess neighboring words in reviews and tweets
student/            a student of both soft labels, which starts from there, with adversarial neighbors
last-SEED/          what goes on from the student with the datasets' own labels alone
average/            the mean of the last ones' weights
reviews-2.parquet   soft labels of the reviews by linear teacher and average
sentences-2.parquet soft labels of the sentences by the average
again-N/            what goes on from the average with these and all labels, with adversarial neighbors
again/              the mean of their weights
final-N/            what goes on from there with the same, at half the rate, and more of long reviews
final/              the mean of the weights of the second round's four
sentences-3.parquet the second round's sentences without negated ones, nearer to neutral
tweets.parquet      tweets without addresses, names and hash signs
phrases.parquet     the treebank's negated phrases as people spell them
third-N/            what goes on from `final` with these
third/              the mean of their weights and those of `final`: it ships
"""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax
from transformers import set_seed

from ..checkpoint import CONFIG
from ..classifier import SentimentClassifier
from ..data.soft_labels import SoftLabels, read_soft_labels, write_soft_labels
from ..data.sources import load_splits
from ..data.splits import JoinedSplit, held_out, letters, read_corpora, remove_leaks
from ..errors import DatasetError, OptionsError
from ..labels import order_labels
from ..modeling import SentimentGRUForSequenceClassification
from ..tokenization import train_tokenizer
from ..training.datasets import join_train, prepare_corpora, prepare_soft_labels
from ..training.options import TrainingOptions
from ..training.output_folder import RunFolder
from ..training.report import calibrate, measure_again
from ..training.run import build_config, train
from ..training.seeds import dev_score
from .augmentation import cut_sentences, negated_phrases, plain_tweets, trusted_sentences
from .pretraining import learn_language
from .teachers import NBSVM, average_checkpoints, blend, fit_weights, out_of_fold

UNLABELLED = "unsupervised"
LINEAR = "linear.npz"  # the linear teacher's logits of all reviews
POLES = ["negative", "positive"]
LABEL_SHARE = 0.5  # of a training review's target that is its label; the rest is the teacher's opinion, out of fold
SENTENCES = 50_000
FIRST: Mapping[str, Mapping[str, Any]] = {
    "first-0": {"hidden_size": 128, "batch_size": 64, "epochs": 2.0},
    "first-1": {"hidden_size": 192, "bidirectional": False, "batch_size": 64, "epochs": 2.0, "seed": 1},
}
COMMON = {"train_tokens": 300, "report": False}
SHORT: Mapping[str, Mapping[str, Any]] = {"short-2": {"epochs": 2.0, "seed": 2}, "short-3": {"epochs": 2.0, "seed": 3}}
START = "language"  # the student goes on from its weights
LANGUAGE_EPOCHS = 1.0
STUDENT = "student"  # the last ones go on from its weights
AVERAGE = "average"  # teaches the second round, and is where it begins
AGAIN = "again"  # the final ones go on from its weights
FINAL = "final"
STUDENT_OPTIONS: Mapping[str, Any] = {"epochs": 2.0, "learning_rate": 1e-3, "adversarial": 0.3}
LAST: Mapping[str, Any] = {"epochs": 2.0, "learning_rate": 1e-3}
AGAIN_OPTIONS: Mapping[str, Any] = {"epochs": 1.0, "learning_rate": 1e-3, "adversarial": 0.3}
FINAL_OPTIONS: Mapping[str, Any] = {"epochs": 1.0, "learning_rate": 5e-4, "adversarial": 0.3, "train_tokens": 400}
SECOND = (0, 1)  # seeds of the second and the third round
THIRD = "third"
NEUTRAL_SHARE = 0.25  # mean score of neutral of the third round's sentences


@dataclass(frozen=True)
class Sources:
    """Where the three datasets are: Hub ids or local folders."""

    imdb: str
    sst2: str
    tweets: str

    def __iter__(self) -> Iterator[str]:
        return iter((self.imdb, self.sst2, self.tweets))


class Reviews:
    """IMDB's reviews, less the copies of dev and reported texts of all datasets; positive is 1, negative 0."""

    def __init__(self, sources: Sources) -> None:
        self.corpora = corpora = remove_leaks(read_corpora(list(sources)))
        unwanted = held_out(corpora)
        splits = load_splits(sources.imdb)
        if UNLABELLED not in splits:
            raise DatasetError(f"dataset {sources.imdb!r} has no split {UNLABELLED!r}, only {', '.join(splits)}")
        texts = dict.fromkeys(splits[UNLABELLED]["text"])
        self.unlabelled = [text for text in texts if letters(text) not in unwanted]
        self.train, self.dev = corpora[0].train.texts, corpora[0].dev.texts
        self.train_positive = np.array([label == "positive" for label in corpora[0].train.labels], dtype=float)
        self.dev_positive = np.array([label == "positive" for label in corpora[0].dev.labels], dtype=float)


class Recipe:
    """The stages of one checkpoint; each writes its result under its name only when it is whole.

    Args:
        sources: the datasets.
        work: folder of the stages' results.
        output: folder of the checkpoint.
        seeds: of the last students of the first round.
    """

    def __init__(self, sources: Sources, work: Path, output: Path, seeds: Sequence[int]) -> None:
        self.sources, self.work, self.output, self.seeds = sources, work, output, seeds

    @cached_property
    def reviews(self) -> Reviews:
        """The reviews, read once."""
        return Reviews(self.sources)

    @cached_property
    def stages(self) -> dict[str, Callable[[], object]]:
        """The stages by name, in their order."""
        short = [self.sources.sst2, self.sources.tweets]
        return {
            "first": lambda: self.write("first", self.teach_first),
            **{name: partial(self.train_student, name, ["first"], **options) for name, options in FIRST.items()},
            **{
                name: partial(self.train_student, name, [], dataset=short, **options) for name, options in SHORT.items()
            },
            "reviews": lambda: self.write("reviews", partial(self.teach_reviews, FIRST)),
            "sentences": lambda: self.write("sentences", partial(self.teach_sentences, (*FIRST, *SHORT))),
            START: self.learn_language,
            STUDENT: lambda: self.train_on(STUDENT, START, ["reviews", "sentences"], **STUDENT_OPTIONS),
            **self.seeded("last", STUDENT, [], self.seeds, LAST),
            AVERAGE: partial(self.average, AVERAGE, [f"last-{seed}" for seed in self.seeds]),
            "reviews-2": lambda: self.write("reviews-2", partial(self.teach_reviews, [AVERAGE])),
            "sentences-2": lambda: self.write("sentences-2", partial(self.teach_sentences, [AVERAGE])),
            **self.seeded(AGAIN, AVERAGE, ["reviews-2", "sentences-2"], SECOND, AGAIN_OPTIONS),
            AGAIN: partial(self.average, AGAIN, [f"{AGAIN}-{seed}" for seed in SECOND]),
            **self.seeded(FINAL, AGAIN, ["reviews-2", "sentences-2"], SECOND, FINAL_OPTIONS),
            FINAL: partial(self.average, FINAL, [f"{name}-{seed}" for name in (AGAIN, FINAL) for seed in SECOND]),
            "sentences-3": lambda: self.write("sentences-3", self.trusted_sentences),
            "tweets": lambda: self.write("tweets", partial(self.rewritten, 2, plain_tweets)),
            "phrases": lambda: self.write("phrases", partial(self.rewritten, 1, negated_phrases)),
            **self.seeded(THIRD, FINAL, ["reviews-2", "sentences-3", "tweets", "phrases"], SECOND, FINAL_OPTIONS),
            THIRD: partial(self.average, THIRD, [*(f"{THIRD}-{seed}" for seed in SECOND), FINAL]),
            "release": self.release,
        }

    def seeded(
        self, name: str, start: str, soft: list[str], seeds: Sequence[int], settings: Mapping[str, Any]
    ) -> dict[str, Callable[[], object]]:
        """Return a stage for each seed that trains from an earlier stage's weights."""
        return {
            f"{name}-{seed}": partial(self.train_on, f"{name}-{seed}", start, soft, seed=seed, **settings)
            for seed in seeds
        }

    def run(self, only: str | None = None) -> None:
        """Run the stages that are not done yet, or one of them.

        Raises:
            OptionsError: there is no such stage.
        """
        if only and only not in self.stages:
            raise OptionsError(f"there is no stage {only!r}, only {', '.join(self.stages)}")
        self.work.mkdir(parents=True, exist_ok=True)
        for name in [only] if only else self.stages:
            print(f"stage {name}", flush=True)
            self.stages[name]()

    def average(self, name: str, members: Sequence[str]) -> None:
        """Average the weights of students that went on from the same."""
        folders = [self.work / member for member in members]
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(folders[0], folder)
        average_checkpoints(folders, folder)
        dev = {corpus.name: corpus.dev for corpus in self.reviews.corpora}
        calibrate(folder, JoinedSplit.join(dev))
        measure_again(folder, self.reviews.corpora, evaluate_test=False, facts={})

    def release(self) -> None:
        """Copy the third round's mean, with the dev scores of its seeds, and only then read the reported splits."""
        seeds = {seed: self.dev_score(f"{THIRD}-{seed}") for seed in SECOND}
        staged = self.work / "release"
        shutil.rmtree(staged, ignore_errors=True)
        shutil.copytree(self.work / THIRD, staged)
        facts = {"seeds": seeds, "average_of_seeds": self.dev_score(THIRD)}
        measure_again(staged, self.reviews.corpora, evaluate_test=True, facts=facts)
        shutil.rmtree(self.output, ignore_errors=True)
        shutil.copytree(staged, self.output)

    def dev_score(self, name: str) -> float:
        """Return the score on dev of a student in the work folder."""
        return dev_score(json.loads((self.work / name / "metrics.json").read_text(encoding="utf-8")))

    def write(self, name: str, teach: Callable[[], SoftLabels]) -> None:
        """Write a stage's soft labels unless they are there."""
        path = self.work / f"{name}.parquet"
        if path.is_file():
            return
        unfinished = path.with_suffix(".unfinished")
        write_soft_labels(unfinished, teach())
        unfinished.rename(path)

    def teach_first(self) -> SoftLabels:
        """Judge all reviews by the linear teacher, those of the training set out of fold; keep its logits."""
        reviews = self.reviews
        out = out_of_fold(reviews.train, reviews.train_positive)
        model = NBSVM().fit(reviews.train, reviews.train_positive)
        dev, unlabelled = model.logits(reviews.dev), model.logits(reviews.unlabelled)
        np.savez(self.work / LINEAR, train=out, dev=dev, unlabelled=unlabelled)
        scale = fit_weights(out[None], reviews.train_positive)
        return self.soft_reviews(blend(scale, out[None]), blend(scale, unlabelled[None]))

    def teach_reviews(self, students: Iterable[str]) -> SoftLabels:
        """Judge the unlabelled reviews by linear teacher and networks together, weighted as is best on dev."""
        reviews = self.reviews
        linear = np.load(self.work / LINEAR)
        networks = [SentimentClassifier.from_pretrained(self.work / name) for name in students]
        dev, unlabelled = (
            np.stack([linear[part], *(pole_logits(network, texts) for network in networks)])
            for part, texts in (("dev", reviews.dev), ("unlabelled", reviews.unlabelled))
        )
        weights = fit_weights(dev, reviews.dev_positive)
        print(describe_blend(weights, dev, reviews.dev_positive))
        scale = fit_weights(linear["train"][None], reviews.train_positive)
        return self.soft_reviews(blend(scale, linear["train"][None]), blend(weights, unlabelled))

    def teach_sentences(self, teachers: Iterable[str]) -> SoftLabels:
        """Judge sentences of the unlabelled reviews by the mean scores of these networks."""
        sentences = cut_sentences(self.reviews.unlabelled, SENTENCES, seed=0)
        networks = [SentimentClassifier.from_pretrained(self.work / name) for name in teachers]
        scores = np.mean([softmax(network.logits(sentences), axis=1) for network in networks], axis=0)
        return SoftLabels("sentences", sentences, networks[0].labels, scores)

    def trusted_sentences(self) -> SoftLabels:
        """Take the second round's sentences, less the opinions that reviews have spoiled."""
        return trusted_sentences(read_soft_labels(self.work / "sentences-2.parquet"), NEUTRAL_SHARE)

    def rewritten(self, dataset: int, rewrite: Callable[[Sequence[str], Sequence[str]], SoftLabels]) -> SoftLabels:
        """Rewrite the training texts of one of the datasets."""
        train = self.reviews.corpora[dataset].train
        return rewrite(train.texts, train.labels)

    def soft_reviews(self, train_opinion: np.ndarray, unlabelled: np.ndarray) -> SoftLabels:
        """Join the (N,) opinions on training reviews with their labels, and put the unlabelled ones after them."""
        reviews = self.reviews
        train = LABEL_SHARE * reviews.train_positive + (1 - LABEL_SHARE) * train_opinion
        positive = np.concatenate([train, unlabelled])
        texts = reviews.train + reviews.unlabelled
        return SoftLabels("reviews", texts, POLES, np.stack([1 - positive, positive], axis=1))

    def train_student(self, name: str, soft: list[str], **settings: Any) -> None:
        """Train a student in the work folder, or go on with it, unless it is finished."""
        options = self.options(str(self.work / name), soft, **settings)
        unfinished = RunFolder(options).record.is_file()
        if unfinished or not (self.work / name / "metrics.json").is_file():
            metrics = train(replace(options, resume=unfinished))
            if metrics is None or metrics["interrupted"]:
                raise KeyboardInterrupt

    def learn_language(self) -> None:
        """Let the student's embeddings and cells learn to guess words, with the vocabulary of all its texts."""
        folder = self.work / START
        if (folder / CONFIG).is_file():
            return
        options = self.options(str(folder), ["reviews", "sentences"], **STUDENT_OPTIONS)
        corpora = prepare_corpora(options)
        labels = order_labels(label for corpus in corpora for label in corpus.train.labels)
        texts = join_train(corpora, prepare_soft_labels(options, corpora, labels)).split.texts
        tokenizer = train_tokenizer(texts, options.vocab_size)
        set_seed(options.seed)
        network = SentimentGRUForSequenceClassification(build_config(options, len(tokenizer), labels))
        tweets = self.reviews.corpora[2].train.texts
        learn_language(
            network, tokenizer, self.reviews.train + self.reviews.unlabelled + tweets, folder, LANGUAGE_EPOCHS
        )

    def train_on(self, name: str, start: str, soft: list[str], **settings: Any) -> None:
        """Train on all datasets and these soft labels, from the weights of an earlier stage."""
        self.train_student(name, soft, init_from=str(self.work / start), **settings)

    def options(self, output_dir: str, soft: list[str], **settings: Any) -> TrainingOptions:
        """Return the options of a training on these soft labels and, unless others are set, all datasets."""
        files = [str(self.work / f"{name}.parquet") for name in soft]
        given = {"dataset": list(self.sources), "soft_labels": files} | COMMON | settings
        return TrainingOptions(output_dir, **given)


def pole_logits(classifier: SentimentClassifier, texts: Sequence[str]) -> np.ndarray:
    """Return (N,) logits of positive against negative."""
    logits = classifier.logits(texts)
    negative, positive = (classifier.labels.index(label) for label in POLES)
    return logits[:, positive] - logits[:, negative]


def describe_blend(weights: np.ndarray, logits: np.ndarray, positive: np.ndarray) -> str:
    """Return the accuracy on dev of each teacher and of their blend."""
    accuracies = ((logits > 0) == positive).mean(axis=1)
    together = ((weights @ logits > 0) == positive).mean()
    alone = ", ".join(
        f"{accuracy:.1%} (weight {weight:.2f})" for accuracy, weight in zip(accuracies, weights, strict=True)
    )
    return f"Teachers on dev: {alone}; together {together:.1%}."
