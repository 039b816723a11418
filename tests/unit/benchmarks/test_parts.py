"""The students that differ in one part of the recipe."""

from benchmarks.parts import cut, made_sentences, silenced
from sentiment_gru.data.splits import Corpus, TextSplit


def test_a_corpus_that_a_student_does_not_learn_is_still_measured() -> None:
    split = TextSplit(["good", "bad"], ["positive", "negative"])
    corpus = Corpus("trec", split, split, None, {})
    assert silenced(corpus, ["trec"]) == corpus
    assert len(silenced(corpus, ["sst2"]).train) == 0
    assert silenced(corpus, ["sst2"]).dev == split


def test_a_corpus_is_cut_in_its_order() -> None:
    split = TextSplit([str(i) for i in range(20_000)], ["positive"] * 20_000)
    kept = cut(Corpus("sst2", split, split, None, {})).train.texts
    assert len(kept) == 12_000
    assert list(map(int, kept)) == sorted(map(int, kept))


def test_made_sentences_are_nearly_certain_of_their_label() -> None:
    made = made_sentences()
    assert len(made) == 12_000
    assert {*made.scores.sum(axis=1).round(6)} == {1.0}
    assert made.scores.max(axis=1).min() > 0.9
