"""Texts made of others, for a teacher to judge."""

from hypothesis import given
from hypothesis import strategies as st

from sentiment_gru.data.splits import TextSplit
from sentiment_gru.distillation.augmentation import EMOJI, add_emoji, cut_sentences, misspell, recombine


@given(st.lists(st.text(max_size=200), max_size=20), st.integers(0, 10))
def test_sentences_are_parts_of_the_texts_and_no_more_than_asked(texts: list[str], count: int) -> None:
    sentences = cut_sentences(texts, count, seed=0)
    assert len(sentences) == len(set(sentences)) <= count
    assert all(any(sentence in text for text in texts) for sentence in sentences)
    assert all(4 <= len(sentence.split()) <= 30 for sentence in sentences)


def test_sentences_end_at_marks_and_tags() -> None:
    text = 'One two three four. "Five six seven eight!" Too short. <br /><br />Nine ten eleven twelve 3.5 of it'
    assert cut_sentences([text], 9, seed=0) == [
        "One two three four.",
        '"Five six seven eight!',
        "Nine ten eleven twelve 3.5 of it",
    ]


@given(
    st.lists(st.sampled_from(["good", "bad", "film", "tea", "not"]), min_size=4, max_size=9).map(" ".join),
    st.integers(0, 9),
)
def test_recombined_texts_have_only_words_of_their_sources_and_come_again_with_the_seed(text: str, seed: int) -> None:
    made = recombine([text, "one two three four"], 12, seed)
    assert made == recombine([text, "one two three four"], 12, seed)
    words = {*text.split(), "one", "two", "three", "four", "but", "and", "although", "because"}
    assert made
    assert {word.strip(".,;") for line in made for word in line.split()} <= words


def test_nothing_is_recombined_of_texts_that_are_too_short() -> None:
    assert recombine(["too short"], 3, 0) == []


def test_emoji_decide_where_a_sentence_does_not_and_never_contradict_it() -> None:
    opinions = {"The tram is late.": "neutral", "A lovely tram.": "positive", "A dreary tram.": "negative"}
    made = add_emoji(TextSplit(list(opinions), list(opinions.values())), 400, seed=0)
    assert len(made.texts) == len(set(made.texts)) == 400
    alone = 0
    for text, label in zip(made.texts, made.labels, strict=True):
        sentence = next((known for known in opinions if text.startswith(known)), "")
        marks = text.removeprefix(sentence).strip()
        meant = EMOJI[marks[0]]
        assert marks == marks[0] * len(marks)
        said = opinions.get(sentence, "neutral")
        assert label == (meant if said == "neutral" else said)
        assert "neutral" in (said, meant) or said == meant
        alone += not sentence
    assert 40 < alone < 120
    assert set(made.labels) == {"negative", "neutral", "positive"}


def test_misspelled_texts_differ_in_one_or_two_long_words() -> None:
    texts = ["The film is Terrible but well made", "an amazing actress", "I couldn't see @someone's http://some.where"]
    made = misspell(texts, 300, seed=0)
    assert made == misspell(texts, 300, seed=0) != misspell(texts, 300, seed=1)
    assert len(made) == 300
    numbers = set()
    for text, right in made.items():
        changed = [(old, new) for old, new in zip(right.split(), text.split(), strict=True) if old != new]
        assert all(len(old) >= 4 and abs(len(old) - len(new)) <= 4 for old, new in changed)
        numbers.add(len(changed))
    assert numbers == {1, 2}
    assert set(made.values()) == set(texts[:2])
    assert any("aaa" in text for text in made)


def test_a_misspelled_form_is_not_another_common_word() -> None:
    made = misspell(["good"] + ["food"] * 3, 999, seed=0)
    assert "goood" in made
    assert not {"food", "good"} & made.keys()


def test_nothing_is_misspelled_where_there_is_no_long_word() -> None:
    assert misspell(["so bad", "", "[NAME] #tag"], 5, seed=0) == {}
    assert misspell([], 5, seed=0) == {}
