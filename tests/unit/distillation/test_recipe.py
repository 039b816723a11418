"""All of the recipe on tiny datasets, with a tiny random encoder as the teacher."""

import hashlib
import json
import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from transformers import BertConfig, BertModel, BertTokenizerFast

from sentiment_gru import SentimentClassifier
from sentiment_gru.checkpoint import load_model, load_tokenizer, save_checkpoint
from sentiment_gru.data.soft_labels import read_soft_labels
from sentiment_gru.data.splits import Corpus, JoinedSplit, TextSplit
from sentiment_gru.distillation import __main__ as command
from sentiment_gru.distillation import recipe, student_stages, teacher_stages, texts
from sentiment_gru.labels import POLES
from sentiment_gru.training.initial import replace_head
from tests.conftest import made_up_texts, write_dataset

GOOD, BAD, PLAIN = "a good and lovely film", "a bad and dreary film", "the bus leaves at nine"
POLAR: list[dict[str, object]] = [
    {"text": f"{text} number {i}", "label": label} for label, text in (("neg", BAD), ("pos", GOOD)) for i in range(40)
]
HELD_OUT = [{"text": f"{GOOD} test", "label": "pos"}, {"text": f"{BAD} test", "label": "neg"}]
CHECKED = [{"text": f"{GOOD} dev", "label": "pos"}, {"text": f"{BAD} dev", "label": "neg"}]
AMOUNTS = {
    "embedding-size": 8,
    "hidden-size": 6,
    "teacher-texts": 20,
    "teacher-epochs": 1,
    "sentences": 30,
    "made": 40,
    "emoji": 30,
    "misspelled": 30,
    "recombined": 10,
    "review-epochs": 1,
    "student-epochs": 1,
    "batch-size": 64,
}


def name_splits(folder: Path, *names: str, features: str = "") -> None:
    """Write the README that a dataset with unusual splits or columns has on the Hub."""
    splits = "".join(f"  - {{split: {name}, path: {name}.jsonl}}\n" for name in names)
    (folder / "README.md").write_text(f"---\nconfigs:\n- config_name: plain\n  data_files:\n{splits}{features}---\n")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder of all corpora in the layout that they have on the Hub, tiny."""
    folder = tmp_path / "data"
    reviews = [
        {"text": f"{text} copy {i}. It was {text} to me.", "label": -1} for text in (BAD, GOOD) for i in range(30)
    ]
    reviews.append({"text": HELD_OUT[0]["text"], "label": -1})
    imdb = write_dataset(folder / "imdb", train=POLAR, test=HELD_OUT, unsupervised=reviews)
    name_splits(imdb, "train", "test", "unsupervised")
    write_dataset(folder / "sst2", train=POLAR, validation=CHECKED, test=HELD_OUT)
    moods = [*POLAR, *({"text": f"{PLAIN} {i}", "label": "neutral"} for i in range(60))]
    write_dataset(
        folder / "tweet_sentiment", train=moods, validation=[*HELD_OUT, {"text": "the tram", "label": "neutral"}]
    )
    names = ["joy", "anger", "neutral"]
    rows = [
        {"text": f"{text} for [NAME] {i}", "labels": [k]} for k, text in enumerate((GOOD, BAD, PLAIN)) for i in range(9)
    ]
    emotions = write_dataset(folder / "go_emotions", train=rows, validation=rows[::3], test=rows[1::3])
    listed = "".join(f"        '{k}': {name}\n" for k, name in enumerate(names))
    features = (
        "dataset_info:\n- config_name: plain\n  features:\n  - name: text\n    dtype: string\n"
        f"  - name: labels\n    list:\n      class_label:\n       names:\n{listed}"
    )
    name_splits(emotions, "train", "validation", "test", features=features)
    trees = [
        {"ptb_tree": f"({label} (2 film) ({label} ({label} {word}) (2 {i})))"}
        for label, word in ((0, "bad"), (4, "good"), (2, "long"))
        for i in range(6)
    ]
    write_dataset(folder / "sst", train=trees[::2], validation=trees[1::4], test=trees[3::4])
    objective = [{"text": f"she takes the train {i}", "label": "objective"} for i in range(30)]
    write_dataset(folder / "subj", train=objective, test=objective[:3])
    questions = [{"text": f"where is the tram {i} ?", "coarse_label": "LOC"} for i in range(30)]
    write_dataset(folder / "trec", train=questions, test=questions[:3])
    spelled = {"neg": "negative", "pos": "positive"}
    products = [{"text": f"{row['text']} bought", "label": spelled[str(row["label"])]} for row in POLAR]
    write_dataset(folder / "uci_sentences", train=products)
    return folder


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """Return the folder of a random encoder with two layers of eight units."""
    folder = tmp_path / "encoder"
    folder.mkdir()
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,?![]"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    BertModel(BertConfig(vocab_size=len(words), **sizes)).save_pretrained(folder)
    return folder


@pytest.fixture
def arguments(data: Path, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the arguments of a tiny run whose stages run in this process."""
    monkeypatch.setattr(recipe.subprocess, "call", lambda given: command.main(given[3:]))
    held_out = tmp_path / "held_out.csv"
    held_out.write_text("kind,text,expected\nfact,It is raining in the city.,no feeling\n")
    told = ["--data", str(data), "--teacher", str(encoder), "--held-out", str(held_out), "--jobs", "1"]
    told += ["--work", str(tmp_path / "work"), "--output-dir", str(tmp_path / "out")]
    return told + [part for name, value in AMOUNTS.items() for part in (f"--{name}", str(value))]


def test_the_recipe_makes_a_checkpoint_and_goes_on_where_it_was_stopped(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    work, output, table = tmp_path / "work", tmp_path / "out", tmp_path / "table.json"
    assert command.main([*arguments, "--stage", "teacher-sentences"]) == 0
    taught = (work / "teacher-sentences.figures.json").stat().st_mtime_ns
    assert command.main([*arguments, "--until", "calibrate"]) == 0, capsys.readouterr().err
    assert not output.exists()
    assert command.main([*arguments, "--table", str(table)]) == 0, capsys.readouterr().err
    assert (work / "teacher-sentences.figures.json").stat().st_mtime_ns == taught
    stages_run = json.loads(table.read_text())["stages"]
    assert [row["stage"] for row in stages_run][-3:] == ["choose", "calibrate", "release"]
    assert all(row["minutes"] >= 0 for row in stages_run)
    reviews = read_soft_labels(work / "label-reviews" / "reviews.parquet")
    assert len(reviews) > 100
    assert not any("test" in text for text in reviews.texts)
    assert set(json.loads((work / "student-reviews/checkpoint/metrics.json").read_text())["datasets"]) == {"imdb"}
    paths = [work / f"label-sentences-{part}" / "sentences.parquet" for part in range(recipe.PARTS)]
    sentences = [text for path in paths for text in read_soft_labels(path).texts]
    assert len(sentences) == len(set(sentences))
    assert f"{PLAIN} 5" in sentences
    metrics = json.loads((output / "metrics.json").read_text())
    assert set(metrics["datasets"]) == set(stages_run[0]) - {"stage", "minutes", "texts"} | {"imdb"}
    assert metrics["datasets"]["imdb"]["reported"]["texts"] == 2
    assert "reported" not in json.loads((work / "student-0/checkpoint/metrics.json").read_text())["datasets"]["imdb"]
    assert metrics["twins"] > 0
    assert SentimentClassifier.from_pretrained(output).labels == ["negative", "neutral", "positive"]
    assert str(tmp_path) not in (output / "metrics.json").read_text() + table.read_text()
    assert "The teacher was the encoder encoder." in (output / "README.md").read_text()
    assert metrics["recipe"]["held_out"] == ["held_out.csv"]
    monkeypatch.setattr(recipe.subprocess, "call", None)
    assert command.main(arguments) == 0  # nothing is left to do


def test_an_initial_checkpoint_gains_words_and_is_trained_further(
    arguments: list[str], tmp_path: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work, start = tmp_path / "work", tmp_path / "start"
    told = [*arguments, "--hidden-size", "8", "--start"]
    model, tokenizer = load_model(tiny_checkpoint), load_tokenizer(tiny_checkpoint)
    replace_head(model, POLES[:2])
    save_checkpoint(model, tokenizer, start)
    assert command.main([*told, str(start), "--stage", "vocabulary"]) == 1
    assert "needs the labels negative, neutral, positive, not negative, neutral" in capsys.readouterr().err
    replace_head(model, POLES)
    save_checkpoint(model, tokenizer, start)
    assert command.main([*told, str(start)]) == 0, capsys.readouterr().err
    assert not {path.name for path in work.iterdir()} & {"pretrain", "student-reviews"}
    before, extended, student = (
        SentimentClassifier.from_pretrained(folder)
        for folder in (start, work / "vocabulary/checkpoint", work / "student-0/checkpoint")
    )
    texts = [GOOD, BAD, PLAIN, "a dreary bus"]
    assert student.config.vocab_size == extended.config.vocab_size > before.config.vocab_size
    np.testing.assert_allclose(extended.logits(texts), before.logits(texts), atol=1e-4)
    assert np.abs(student.logits(texts) - before.logits(texts)).max() > 1e-2
    assert [len(ids) for ids in before.encode(["dreaary"])] == [1]
    assert all(1 not in ids and len(ids) > 1 for ids in (extended.encode(["dreaary"]) + student.encode(["dreaary"])))
    vectors = load_model(work / "vocabulary/checkpoint").embedding.weight
    pieces = [i for entry, i in load_tokenizer(work / "vocabulary/checkpoint").get_vocab().items() if entry[:2] == "##"]
    assert (vectors[pieces] == vectors[extended.config.unk_token_id]).all()
    figures = json.loads((work / "vocabulary.figures.json").read_text())
    assert set(figures["unknown"]) == set(figures["split"])
    assert all(0 <= share <= 1 for kind in ("unknown", "split") for share in figures[kind].values())
    digest = hashlib.sha256((start / "model.safetensors").read_bytes()).hexdigest()
    assert digest in (tmp_path / "out/README.md").read_text()
    assert command.main([*told[:-1], "--stage", "vocabulary"]) == 1
    assert "stage vocabulary was run with other options: start; give" in capsys.readouterr().err


def test_other_options_and_unknown_stages_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([*arguments, "--stage", "last"]) == 1
    assert "there is no stage 'last', only teacher-sentences, vocabulary" in capsys.readouterr().err
    assert command.main([*arguments, "--until", "last"]) == 1
    assert "there is no stage 'last'" in capsys.readouterr().err
    assert command.main([*arguments, "--stage", "vocabulary"]) == 0
    assert command.main([*arguments, "--made", "41", "--stage", "vocabulary"]) == 0  # it does not depend on them
    for changed in (["--stage", "vocabulary"], []):
        assert command.main([*arguments, "--vocabulary", "41", *changed]) == 1
        assert "stage vocabulary was run with other options: vocabulary; give" in capsys.readouterr().err


def test_a_failing_stage_ends_the_run_and_the_rest_is_not_begun(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(tmp_path / "encoder")
    assert command.main(arguments) == 1
    error = capsys.readouterr().err
    assert "no encoder can be loaded" in error
    assert "stage teacher-sentences failed" in error
    assert not (tmp_path / "work" / "vocabulary.figures.json").is_file()


def test_made_texts_are_nearly_certain_of_their_label_and_held_out_ones_go() -> None:
    made = TextSplit(["a good cup", "\N{SMILING FACE WITH SUNGLASSES}"], ["positive", "negative"])
    soft = texts.certain("made", made)
    assert (soft.name, soft.texts, soft.labels) == ("made", made.texts, list(POLES))
    np.testing.assert_allclose(soft.scores.sum(axis=1), 1)
    assert soft.scores.argmax(axis=1).tolist() == [2, 0]
    assert soft.scores.max(axis=1).min() > 0.9
    assert texts.without_texts(made, [" \N{SMILING FACE WITH SUNGLASSES}\n", "a good"]).texts == ["a good cup"]


def test_the_member_that_is_right_about_posts_or_sentences_has_all_the_weight_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev = TextSplit(["good", "so so", "bad"] * 9, ["positive", "neutral", "negative"] * 9)
    corpora = [Corpus(name, dev, dev, None, {}) for name in ("sst2", "tweets")]
    right = np.array([[-1, 0, 1], [0, 0, 0], [1, 0, -1]] * 9, dtype=np.float32)
    (tmp_path / "teacher-sentences").mkdir()
    save_file({"sst2": right, "tweets": -right}, tmp_path / "teacher-sentences" / teacher_stages.DEV_LOGITS)
    student = SimpleNamespace(logits=lambda texts: np.array([[-1, 0, 1] if t == "good" else [1, 0, -1] for t in texts]))
    monkeypatch.setattr(teacher_stages, "short_corpora", lambda setting: corpora)
    weights = teacher_stages.side_weights(SimpleNamespace(work=tmp_path), student)
    assert weights[False].min() > 0.1
    assert weights[True][0] < 0.01 < weights[True][1]


def test_the_neutral_label_loses_as_much_as_is_best_on_dev(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reduced"
    model, tokenizer = load_model(tiny_checkpoint), load_tokenizer(tiny_checkpoint)
    with torch.no_grad():
        model.classifier.bias[POLES.index("neutral")] += 8
    save_checkpoint(model, tokenizer, folder)
    rows = made_up_texts()
    dev = JoinedSplit.join({"tiny": TextSplit([row["text"] for row in rows], [row["label"] for row in rows])})
    biased = load_model(folder).classifier.bias
    assert student_stages.reduce_neutral(folder, dev) == 2
    np.testing.assert_allclose((biased - load_model(folder).classifier.bias).detach(), [0, 2, 0], atol=0.01)
    save_checkpoint(load_model(tiny_checkpoint), tokenizer, folder)
    assert student_stages.reduce_neutral(folder, dev) == 0


def test_the_labels_of_a_cut_corpus_have_equally_many_texts_as_far_as_it_goes() -> None:
    train = TextSplit([f"text {i}" for i in range(20)], ["neutral"] * 12 + ["positive"] * 6 + ["negative"] * 2)
    cut = texts.cut_evenly(Corpus("tweets", train, train, None, {}), 13, seed=0)
    assert Counter(cut.train.labels) == {"neutral": 4, "positive": 4, "negative": 2}
    assert set(zip(cut.train.texts, cut.train.labels, strict=True)) < set(zip(train.texts, train.labels, strict=True))
    assert len(set(cut.train.texts)) == 10
    assert cut.dev is train


def test_the_lines_and_cells_of_held_out_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("kind,text\nfact,one\n")
    (tmp_path / "b.txt").write_text("two\n")
    found = [text.strip() for text in texts.read_held_out([str(tmp_path / "a.csv"), str(tmp_path / "b.txt")])]
    assert found == ["kind", "text", "fact", "one", "two"]
