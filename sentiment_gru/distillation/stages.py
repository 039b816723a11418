"""The stages of the recipe; each is a function of the setting and the stage's name that returns the figures."""

import csv
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from scipy.special import softmax
from sklearn.metrics import accuracy_score, recall_score
from torch import nn
from transformers import PreTrainedTokenizerFast, set_seed

from ..checkpoint import WEIGHTS, load_config, load_model, load_tokenizer, resolve, save_checkpoint
from ..classifier import SentimentClassifier
from ..data.soft_labels import SoftLabels, read_soft_labels, write_soft_labels
from ..data.sources import load_splits
from ..data.splits import Corpus, JoinedSplit, TextSplit, cut_train, held_out, letters
from ..errors import CheckpointError, DatasetError
from ..labels import POLES
from ..metrics import labels_to_compare, restrict
from ..modeling import SentimentGRUForSequenceClassification
from ..tokenization import add_pieces, add_words, train_tokenizer
from ..training.options import TrainingOptions
from ..training.report import calibrate, measure_again
from ..training.run import build_config
from .augmentation import EMOJI, add_emoji, cut_sentences, misspell, recombine, without_runs
from .corpora import LICENCES, Sources, read_sources
from .encoder import Targets, fine_tune, load_encoder
from .grammar import Grammar
from .pretraining import learn_language
from .recipe import PARTS, Setting
from .student import train_on_soft_labels
from .teachers import NBSVM, blend, fit_weights, out_of_fold

UNLABELLED = "unsupervised"
REVIEWS, MADE = "imdb", "made"
POSTS = ("tweets", "go_emotions")  # corpora whose texts are written like messages
DEV_LOGITS = "dev.safetensors"
REVIEWS_FILE, SENTENCES_FILE = "reviews.parquet", "sentences.parquet"
LABEL_SHARE = 0.5  # of a labelled text's target; the rest is the teacher's opinion
MADE_CERTAINTY = 0.95
REFINING_RATE = 3e-4  # peak of the learning rate
MOST_USES = 1_000  # of a word that the initial checkpoint lacks, so that each emoji comes before it
REDUCTIONS = np.arange(0.0, 2.01, 0.1)  # of the neutral label's logit
# Most phrases of the trees are short and neutral. All of them would teach that an opinion without a polar word is none.
SHORT_PHRASE = 10  # words
NEUTRAL_SHARE = 0.2  # of the short neutral phrases
Item = TypeVar("Item")
Figures = Mapping[str, Any]


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


@lru_cache(maxsize=1)
def unlabelled_reviews(sources: Sources) -> list[str]:
    """Return the reviews without a label, less the copies of dev and reported texts."""
    splits = load_splits(sources.imdb)
    if UNLABELLED not in splits:
        raise DatasetError(f"dataset {sources.imdb!r} has no split {UNLABELLED!r}, only {', '.join(splits)}")
    unwanted = held_out(corpora_of(sources))
    return [text for text in dict.fromkeys(splits[UNLABELLED]["text"]) if letters(text) not in unwanted]


def learn_vocabulary(setting: Setting, name: str) -> Figures:
    """Learn the words of all training texts, and pieces of others; the figures are shares of words on dev."""
    corpora, amounts = corpora_of(setting.sources), setting.amounts
    texts = [text for corpus in corpora for text in corpus.train.texts] + unlabelled_reviews(setting.sources)
    tokenizer = train_tokenizer(texts, amounts.vocabulary - amounts.pieces)
    if amounts.pieces:
        tokenizer = add_pieces(tokenizer, texts, amounts.pieces)
    tokenizer.save_pretrained(setting.work / name)
    return {"words": len(tokenizer), **word_shares(setting, tokenizer)}


def extend_vocabulary(setting: Setting, name: str) -> Figures:
    """Add the most frequent unknown words of the short texts, and pieces of the others, to the initial checkpoint.

    The embedding of a new word or piece is that of an unknown word until the student learns it. Verdicts change only
    on texts with words that are now split: one unknown word has become several.
    """
    amounts = setting.amounts
    texts = [text for corpus in short_corpora(setting) for text in corpus.train.texts]
    texts += list(EMOJI) * MOST_USES
    tokenizer = extend(
        initial_checkpoint(setting), texts, amounts.vocabulary, setting.work / name, pieces=amounts.pieces
    )
    return {"words": len(tokenizer), **word_shares(setting, tokenizer)}


def extend(folder: Path, texts: Sequence[str], size: int, output: Path, *, pieces: int = 0) -> PreTrainedTokenizerFast:
    """Write a checkpoint whose vocabulary has further words of texts, and return its tokenizer.

    Args:
        folder: folder of a checkpoint.
        texts: training texts.
        size: most entries of the vocabulary; a larger one gets no further words.
        output: folder in which `checkpoint` is written.
        pieces: most pieces of other words to add; the words leave room for them within `size`.

    Raises:
        ValueError: the vocabulary has byte pairs, or `pieces` is above 0 but too small for the single letters.
    """
    model = load_model(folder)
    tokenizer = add_words(load_tokenizer(folder), texts, size - pieces)
    if pieces:
        tokenizer = add_pieces(tokenizer, texts, pieces)
    old = model.embedding.weight.detach()
    new = old[tokenizer.unk_token_id].expand(len(tokenizer) - len(old), -1)
    model.set_input_embeddings(nn.Embedding.from_pretrained(torch.cat([old, new]), freeze=False, padding_idx=0))
    model.config.vocab_size = len(tokenizer)
    save_checkpoint(model, tokenizer, output / "checkpoint")
    return tokenizer


def initial_checkpoint(setting: Setting) -> Path:
    """Return the folder of the initial checkpoint.

    Raises:
        CheckpointError: there is no such checkpoint, or its labels are not those of the student.
    """
    folder = resolve(setting.start)
    labels = load_config(folder).labels
    if labels != list(POLES):
        raise CheckpointError(f"--start {setting.start}: needs the labels {', '.join(POLES)}, not {', '.join(labels)}")
    return folder


def word_shares(setting: Setting, tokenizer: PreTrainedTokenizerFast) -> dict[str, dict[str, float]]:
    """Return the shares of unknown words and of words split into pieces on the dev split of each corpus."""
    shares: dict[str, dict[str, float]] = {"unknown": {}, "split": {}}
    for corpus in corpora_of(setting.sources):
        words = unknown = split = 0
        for encoding in tokenizer(corpus.dev.texts).encodings:
            pieces = Counter(encoding.word_ids)
            words += len(pieces)
            unknown += encoding.ids.count(tokenizer.unk_token_id)  # an unknown word is one token
            split += sum(count > 1 for count in pieces.values())
        shares["unknown"][corpus.name] = round(unknown / words, 4)
        shares["split"][corpus.name] = round(split / words, 4)
    return shares


def pretrain(setting: Setting, name: str) -> Figures:
    """Let a new network learn to guess neighboring words in reviews and short texts."""
    set_seed(0)
    amounts, corpora = setting.amounts, corpora_of(setting.sources)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(setting.work / "vocabulary")
    options = student_options(setting, name, None, 1.0, 0)
    network = SentimentGRUForSequenceClassification(build_config(options, len(tokenizer), POLES))
    reviews = corpora[0].train.texts + unlabelled_reviews(setting.sources)
    texts = drawn(reviews, amounts.pretrain_reviews)
    texts += [text for corpus in corpora if corpus.name in ("tweets", "go_emotions") for text in corpus.train.texts]
    loss = learn_language(network, tokenizer, texts, setting.work / name, 1.0)
    return {"texts": len(texts), "loss": round(loss, 3)}


def fit_linear_teacher(setting: Setting, name: str) -> Figures:
    """Judge the reviews by NB-SVM, those of the training set out of fold, and keep its logits."""
    reviews = corpora_of(setting.sources)[0]
    positive = is_positive(reviews.train)
    out = out_of_fold(reviews.train.texts, positive)
    model = NBSVM().fit(reviews.train.texts, positive)
    dev, unlabelled = model.logits(reviews.dev.texts), model.logits(unlabelled_reviews(setting.sources))
    np.savez(setting.work / name / "logits.npz", train=out, dev=dev, unlabelled=unlabelled)
    scale = fit_weights(out[None], positive)
    write_reviews(setting, name, blend(scale, np.concatenate([out, unlabelled])[None]))
    return {"out of fold": accuracy(out, positive), "dev": accuracy(dev, is_positive(reviews.dev))}


def write_reviews(setting: Setting, name: str, opinions: np.ndarray) -> int:
    """Write soft labels of training and unlabelled reviews from (N,) probabilities of positive; return their number."""
    reviews = corpora_of(setting.sources)[0]
    positive = is_positive(reviews.train)
    train = LABEL_SHARE * positive + (1 - LABEL_SHARE) * opinions[: len(positive)]
    scores = np.concatenate([train, opinions[len(positive) :]])
    texts = reviews.train.texts + unlabelled_reviews(setting.sources)
    rows = drawn(range(len(texts)), setting.amounts.student_reviews)
    soft = SoftLabels("reviews", texts, [POLES[0], POLES[2]], np.stack([1 - scores, scores], axis=1)).take(rows)
    write_soft_labels(setting.work / name / REVIEWS_FILE, soft)
    return len(soft)


def made_sentences(setting: Setting) -> TextSplit:
    """Return sentences of the grammar that share no run of words with a held-out or reported text."""
    made = Grammar(seed=0).sentences(setting.amounts.made)
    reported = (text for c in corpora_of(setting.sources) for text in (c.reported.texts if c.reported else ()))
    kept = without_runs(made, [*reported, *read_held_out(setting.held_out)])
    return TextSplit(kept, [made[text] for text in kept])


def read_held_out(paths: Sequence[str]) -> Iterator[str]:
    """Yield the cells of CSV files and the lines of other files."""
    for path in paths:
        with Path(path).open(encoding="utf-8", newline="") as file:
            if path.endswith(".csv"):
                for row in csv.reader(file):
                    yield from row
            else:
                yield from file


def short_corpora(setting: Setting) -> list[Corpus]:
    """Return the corpora of short texts."""
    return [corpus for corpus in corpora_of(setting.sources) if corpus.name != REVIEWS]


def fine_tune_encoder(setting: Setting, name: str) -> Figures:
    """Fine-tune the encoder on the short texts and made sentences; the figures are macro recalls on dev."""
    amounts, short = setting.amounts, short_corpora(setting)
    made = made_sentences(setting)
    texts: list[str] = []
    labels, present = [], []
    for corpus in [*short, Corpus(MADE, made, TextSplit([], []), None, {})]:
        known = labels_to_compare(POLES, set(corpus.train.labels))
        rows = drawn(range(len(corpus.train)), amounts.teacher_texts)
        texts += [corpus.train.texts[i] for i in rows]
        labels += [[float(corpus.train.labels[i] == label) for label in POLES] for i in rows]
        present += [[label in known for label in POLES]] * len(rows)
    targets = Targets(texts, amounts.teacher_tokens, np.array(labels), np.array(present))
    encoder = fine_tune(setting.teacher, targets, setting.work / name, amounts.teacher_epochs)
    dev = {corpus.name: encoder.score(corpus.dev.texts, amounts.teacher_tokens) for corpus in short}
    save_file(dev, setting.work / name / DEV_LOGITS)
    return {"texts": len(texts)} | {corpus.name: macro_recall(dev[corpus.name], corpus.dev) for corpus in short}


def label_reviews(setting: Setting, name: str) -> Figures:
    """Blend the opinions of NB-SVM and of the GRU of reviews, weighted as is best on dev."""
    reviews = corpora_of(setting.sources)[0]
    linear = np.load(setting.work / "teacher-reviews" / "logits.npz")
    student = review_student(setting)
    positive = is_positive(reviews.dev)
    dev = np.stack([linear["dev"], poles(student.logits(reviews.dev.texts))])
    weights = fit_weights(dev, positive)
    texts = reviews.train.texts + unlabelled_reviews(setting.sources)
    both = np.stack([np.concatenate([linear["train"], linear["unlabelled"]]), poles(student.logits(texts))])
    count = write_reviews(setting, name, blend(weights, both))
    figures = {"linear": dev[0], "student": dev[1], "together": weights @ dev}
    return {member: accuracy(logits, positive) for member, logits in figures.items()} | {"texts": count}


def review_student(setting: Setting) -> SentimentClassifier:
    """Return the GRU of reviews; ONNX Runtime gives the same labels whatever else is installed."""
    trained = setting.work / "student-reviews" / "checkpoint"
    folder = initial_checkpoint(setting) if setting.start else trained
    return SentimentClassifier.from_pretrained(folder, engine="onnxruntime")


def label_sentences(setting: Setting, name: str) -> Figures:
    """Judge a part of the short texts and sentences; labelled texts keep half of their label.

    The encoder says how neutral a text is. Which side a text is on, it says together with the GRU of reviews.
    """
    part, amounts = int(name.rpartition("-")[2]), setting.amounts
    known: dict[str, tuple[str, str]] = {}
    for corpus in short_corpora(setting):
        rows = drawn(range(len(corpus.train)), amounts.judged)
        known |= {corpus.train.texts[i]: (corpus.name, corpus.train.labels[i]) for i in rows}
    made = cut_sentences(unlabelled_reviews(setting.sources), amounts.sentences, seed=0)
    made += recombine(list(known), amounts.recombined, seed=0)
    unwanted = held_out(corpora_of(setting.sources))
    texts = list(known) + [text for text in dict.fromkeys(made) if text not in known and letters(text) not in unwanted]
    texts = texts[part::PARTS]
    encoder = load_encoder(setting.teacher, setting.work / "teacher-sentences")
    student = review_student(setting)
    logits = encoder.score(texts, amounts.teacher_tokens)
    sides = np.stack([poles(logits), poles(student.logits(texts))])
    weights = side_weights(setting, student)
    scores = softmax(logits.astype(np.float64), axis=1)
    for row, text in enumerate(texts):
        corpus_name, label = known.get(text, (None, None))
        positive = float(blend(weights[corpus_name in POSTS], sides[:, row]))
        scores[row] = [(1 - positive) * (1 - scores[row, 1]), scores[row, 1], positive * (1 - scores[row, 1])]
        if label:
            scores[row] = LABEL_SHARE * (np.array(POLES) == label) + (1 - LABEL_SHARE) * scores[row]
    write_soft_labels(setting.work / name / SENTENCES_FILE, SoftLabels("sentences", texts, list(POLES), scores))
    figures = {"sentences": weights[False], "posts": weights[True]}
    return {"texts": len(texts), "neutral": round(float((scores.argmax(axis=1) == 1).mean()), 3)} | {
        f"weights of {kind}": [round(float(weight), 2) for weight in found] for kind, found in figures.items()
    }


def side_weights(setting: Setting, student: SentimentClassifier) -> dict[bool, np.ndarray]:
    """Return (2,) weights of encoder and GRU, best on polar texts of dev, of posts (True) and of sentences (False)."""
    encoder = load_file(setting.work / "teacher-sentences" / DEV_LOGITS)
    members: dict[bool, list[np.ndarray]] = {True: [], False: []}
    positive: dict[bool, list[np.ndarray]] = {True: [], False: []}
    for corpus in short_corpora(setting):
        polar = [row for row, label in enumerate(corpus.dev.labels) if label != POLES[1]]
        if polar:
            dev = corpus.dev.take(polar)
            kind = corpus.name in POSTS
            members[kind].append(np.stack([poles(encoder[corpus.name])[polar], poles(student.logits(dev.texts))]))
            positive[kind].append(is_positive(dev))
    return {
        kind: fit_weights(np.concatenate(found, axis=1), np.concatenate(positive[kind]))
        for kind, found in members.items()
    }


def student_options(
    setting: Setting, name: str, init_from: str | None, epochs: float, seed: int, learning_rate: float = 1e-3
) -> TrainingOptions:
    """Return the options of a training in the work folder that goes on from another stage's checkpoint."""
    amounts = setting.amounts
    return TrainingOptions(
        str(setting.work / name / "checkpoint"),
        [corpus.name for corpus in corpora_of(setting.sources)],
        seed=seed,
        init_from=str(setting.work / init_from) if init_from else None,
        epochs=epochs,
        batch_size=amounts.batch_size,
        learning_rate=learning_rate,
        adversarial=amounts.adversarial,
        train_tokens=400,
        embedding_size=amounts.embedding_size,
        hidden_size=amounts.hidden_size,
        report=False,
    )


def train_student_of_reviews(setting: Setting, name: str) -> Figures:
    """Train a GRU on the reviews alone, with the soft labels of NB-SVM; the figure is its macro recall on dev."""
    options = student_options(setting, name, "pretrain", setting.amounts.review_epochs, 0)
    soft = read_soft_labels(setting.work / "teacher-reviews" / REVIEWS_FILE)
    train_on_soft_labels(options, corpora_of(setting.sources)[:1], [soft], pairing=0)
    return dev_figures(Path(options.output_dir))


def train_student(setting: Setting, name: str) -> Figures:
    """Train the GRU of reviews further on all soft labels; the figures are macro recalls on dev."""
    amounts, seed = setting.amounts, int(name.rpartition("-")[2])
    start = "vocabulary/checkpoint" if setting.start else "student-reviews/checkpoint"
    options = student_options(setting, name, start, amounts.student_epochs, seed, amounts.student_rate)
    soft = [
        read_soft_labels(setting.work / "label-reviews" / REVIEWS_FILE),
        *made_labels(setting, soft_sentences(setting), seed),
    ]
    train_on_soft_labels(options, corpora_of(setting.sources), soft, amounts.pairing)
    return dev_figures(Path(options.output_dir))


def refine_student(setting: Setting, name: str) -> Figures:
    """Train a student further on a sample of the texts, labelled ones above all, without shifted embeddings."""
    amounts, seed = setting.amounts, int(name.rpartition("-")[2])
    options = student_options(setting, name, f"student-{seed}/checkpoint", 1.0, seed, REFINING_RATE)
    options.adversarial = 0.0
    most = {REVIEWS: amounts.refining_texts // 4}  # a review is as much work as ten short texts
    corpora = [
        cut_train(corpus, most.get(corpus.name, amounts.refining_texts), seed) for corpus in corpora_of(setting.sources)
    ]
    sample = soft_sentences(setting)
    sample = sample.take(drawn(range(len(sample)), amounts.refining_texts))
    soft = [part.take(drawn(range(len(part)), amounts.refining_texts)) for part in made_labels(setting, sample, seed)]
    train_on_soft_labels(options, corpora, soft, amounts.pairing)
    return dev_figures(Path(options.output_dir))


def soft_sentences(setting: Setting) -> SoftLabels:
    """Return the short texts and sentences that `label_sentences` judged."""
    return join_soft(
        [read_soft_labels(setting.work / f"label-sentences-{part}" / SENTENCES_FILE) for part in range(PARTS)]
    )


def made_labels(setting: Setting, judged: SoftLabels, seed: int) -> list[SoftLabels]:
    """Return judged sentences, made sentences, misspelled forms of both, and made sentences with emoji."""
    amounts, made = setting.amounts, made_sentences(setting)
    sentences = join_soft([judged, certain(MADE, made)])
    wrong = misspell(sentences.texts, amounts.misspelled, seed)
    rows = {text: row for row, text in enumerate(sentences.texts)}
    misspelled = sentences.take([rows[text] for text in wrong.values()])
    return [
        judged,
        certain(MADE, made),
        replace(misspelled, name="misspelled", texts=list(wrong)),
        certain("emoji", without_texts(add_emoji(made, amounts.emoji, seed), read_held_out(setting.held_out))),
    ]


def join_soft(parts: Sequence[SoftLabels]) -> SoftLabels:
    """Return the texts of all parts, which have the same labels."""
    texts = [text for part in parts for text in part.texts]
    return replace(parts[0], texts=texts, scores=np.concatenate([part.scores for part in parts]))


def certain(name: str, made: TextSplit) -> SoftLabels:
    """Return soft labels of made texts, nearly certain of the label that follows from how they are made."""
    scores = np.full((len(made), len(POLES)), (1 - MADE_CERTAINTY) / (len(POLES) - 1))
    scores[range(len(made)), [POLES.index(label) for label in made.labels]] = MADE_CERTAINTY
    return SoftLabels(name, made.texts, list(POLES), scores)


def without_texts(made: TextSplit, held_out: Iterable[str]) -> TextSplit:
    """Return the texts that are not held out as a whole; emoji alone have no run of words."""
    unwanted = {text.strip() for text in held_out}
    return made.take([row for row, text in enumerate(made.texts) if text not in unwanted])


def choose_student(setting: Setting, name: str) -> Figures:
    """Copy the student with the highest mean of macro recalls on dev."""
    students = [f"refine-{seed}" for seed in range(setting.amounts.students)]
    figures = {student: dev_figures(setting.work / student / "checkpoint") for student in students}
    best = max(students, key=lambda student: np.mean(list(figures[student].values())))
    target = setting.work / name / "checkpoint"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(setting.work / best / "checkpoint", target)
    return {"student": best, **figures[best]}


def calibrate_student(setting: Setting, name: str) -> Figures:
    """Fit the bias of the neutral label, the temperature and the uncertain band of the chosen student on dev."""
    target = setting.work / name / "checkpoint"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(setting.work / "choose" / "checkpoint", target)
    corpora = corpora_of(setting.sources)
    dev = JoinedSplit.join({corpus.name: corpus.dev for corpus in corpora})
    reduction = reduce_neutral(target, dev)
    calibrate(target, dev)
    measure_again(target, corpora, evaluate_test=False, facts={})
    config = SentimentClassifier.from_pretrained(target).config
    return {
        "neutral logit reduced by": reduction,
        "temperature": round(config.temperature, 3),
        "exponent": round(config.temperature_exponent, 3),
        "uncertain below": config.uncertain_below,
    }


def reduce_neutral(folder: Path, dev: JoinedSplit) -> float:
    """Reduce the bias of the neutral label in a checkpoint by as much as is best on dev, and return that number.

    The best is the highest mean over datasets of the mean recall of their labels, where every label may be the verdict.
    Most soft labels of polar texts leave some probability to neutral, which costs such texts their verdict otherwise.
    Source: Menon et al. 2021, "Long-tail learning via logit adjustment".
    """
    classifier = SentimentClassifier.from_pretrained(folder, engine="onnxruntime")
    classifier.config.temperature, classifier.config.temperature_exponent = 1.0, 0.0
    logits, labels = classifier.logits(dev.split.texts), np.array(dev.split.labels)

    def score(reduction: float) -> float:
        verdicts = np.array(POLES)[(logits - reduction * (np.array(POLES) == "neutral")).argmax(axis=1)]
        return float(np.mean([recall_of_labels(labels[rows], verdicts[rows]) for rows in dev.rows.values()]))

    reduction = float(max(REDUCTIONS, key=score))
    model = load_model(folder)
    with torch.no_grad():
        model.classifier.bias[POLES.index("neutral")] -= reduction
    save_checkpoint(model, load_tokenizer(folder), folder)
    return round(reduction, 2)


def recall_of_labels(labels: np.ndarray, verdicts: np.ndarray) -> float:
    """Return the mean over labels of the share of their texts with the right verdict."""
    return float(np.mean([(verdicts[labels == label] == label).mean() for label in sorted(set(labels))]))


def release(setting: Setting, name: str) -> Figures:
    """Read the reported splits, only now, and copy the checkpoint to its folder."""
    staged = setting.work / name / "checkpoint"
    shutil.rmtree(staged, ignore_errors=True)
    shutil.copytree(setting.work / "calibrate" / "checkpoint", staged)
    remarks = [f"The teacher was the encoder {Path(setting.teacher).name}. {LICENCES}"]
    if setting.start:
        digest = hashlib.sha256((initial_checkpoint(setting) / WEIGHTS).read_bytes()).hexdigest()
        remarks.append(f"The student went on from an earlier release, whose weights have the SHA-256 {digest}.")
    facts = {"recipe": setting.portable_options(), "remarks": remarks}
    measure_again(staged, corpora_of(setting.sources), evaluate_test=True, facts=facts)
    shutil.rmtree(setting.output, ignore_errors=True)
    shutil.copytree(staged, setting.output)
    size = sum(path.stat().st_size for path in staged.iterdir()) / 1024
    return {"KiB": round(size), **dev_figures(staged, "reported")}


def dev_figures(folder: Path, role: str = "dev") -> Figures:
    """Return the macro recall of a checkpoint on each corpus, from its metrics."""
    sets = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["datasets"]
    return {corpus: round(found[role]["macro_recall"], 4) for corpus, found in sets.items() if role in found}


def drawn(items: Sequence[Item], count: int) -> list[Item]:
    """Return at most so many of the items, drawn at random and in their order."""
    rows = np.random.default_rng(0).permutation(len(items))[:count]
    return [items[i] for i in sorted(rows)]


def is_positive(split: TextSplit) -> np.ndarray:
    """Return (N,) 1 for positive and 0 for negative texts."""
    return np.array([label == "positive" for label in split.labels], dtype=float)


def poles(logits: np.ndarray) -> np.ndarray:
    """Return (N,) logits of positive against negative from (N, 3)."""
    return logits[:, 2] - logits[:, 0]


def accuracy(logits: np.ndarray, positive: np.ndarray) -> float:
    """Return the share of (N,) logits on the right side of 0."""
    return round(float(accuracy_score(positive > 0, logits > 0)), 4)


def macro_recall(logits: np.ndarray, split: TextSplit) -> float:
    """Return the macro recall of (N, 3) logits over the labels that the split has."""
    present = labels_to_compare(POLES, set(split.labels))
    verdicts = np.array(present)[restrict(logits, POLES, present).argmax(axis=1)]
    recall = recall_score(split.labels, verdicts, labels=sorted(set(split.labels)), average="macro", zero_division=0)
    return round(float(recall), 4)
