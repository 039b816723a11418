"""The tokenizer keeps what carries sentiment and maps every token to the original text."""

from collections import Counter
from itertools import pairwise
from unicodedata import category, normalize

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from sentiment_gru.token_counts import TokenCounter
from sentiment_gru.tokenization import (
    CONTINUED,
    FIRST_LETTERS,
    LONGEST_PIECE,
    LONGEST_WORD,
    MIN_FREQUENCY,
    MISSPELLED,
    add_pieces,
    add_words,
    choose_pieces,
    count_rests,
    encode_ends,
    keep_ends,
    train_tokenizer,
)

SAMPLE = [
    "I don't think it's good! Is it? 😀 ❤ :) can't won't isn't ca n't ...",
    "not never no café 8/10 @ http well made <3 ( ) , .",
] * 3


@pytest.fixture(scope="module", params=["words", "byte pairs", "pieces"])
def tokenizer(request: pytest.FixtureRequest) -> PreTrainedTokenizerFast:
    trained = train_tokenizer(SAMPLE, 200, subwords=request.param == "byte pairs")
    return add_pieces(trained, SAMPLE, 200) if request.param == "pieces" else trained


@pytest.fixture(scope="module")
def words() -> PreTrainedTokenizerFast:
    return train_tokenizer(SAMPLE, 200)


def pieces(tokenizer: PreTrainedTokenizerFast, text: str) -> list[str]:
    return tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"])


def spans(tokenizer: PreTrainedTokenizerFast, text: str) -> list[str]:
    offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    return [text[start:end] for start, end in offsets]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I DON'T think", ["i", "do", "n't", "think"]),
        ("can’t", ["ca", "n't"]),
        ("ca n't", ["ca", "n't"]),
        ("it's good!?", ["it", "'s", "good", "!", "?"]),
        ("good...", ["good", "..."]),
        ("good…", ["good", "..."]),
        ("Café", ["cafe"]),
        ("😀😀❤️", ["😀", "😀", "❤"]),
        ("good<br /><br />not", ["good", "not"]),
        ("@Some_Body: http://t.co/x?y not :)", ["@", "[UNK]", "http", "not", ":)"]),
        ("8/10 <3", ["8/10", "<3"]),
        ("well-made", ["well", "[UNK]", "made"]),
        ("not\x00good\u200d", ["not", "good"]),
        ("", []),
        (" \t\n", []),
    ],
)
def test_words_are_split_as_a_reader_would(words: PreTrainedTokenizerFast, text: str, expected: list[str]) -> None:
    assert pieces(words, text) == expected


def test_offsets_give_the_original_spelling(words: PreTrainedTokenizerFast) -> None:
    text = "I DON’T like Café… @Bob http://a.b 😀!"
    assert spans(words, text) == ["I", "DO", "N’T", "like", "Café", "…", "@", "http", "😀", "!"]


@given(text=st.text(max_size=80))
def test_offsets_lie_in_the_text_and_never_go_back(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    assert all(0 <= start < end <= len(text) for start, end in offsets)
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(offsets))


@given(text=st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20))
@example(text="\u00b8a")
def test_every_word_number_sign_and_emoji_is_counted(words: PreTrainedTokenizerFast, text: str) -> None:
    # Skin tones say nothing alone, nor do accents without a letter, such as a cedilla: taken apart, a space and a mark.
    said = [c for c in normalize("NFKD", text) if category(c)[0] in "LNPS" and not "\U0001f3fb" <= c <= "\U0001f3ff"]
    assume(said)
    assert len(words(text)["input_ids"]) >= 1


def test_special_tokens_typed_by_a_user_are_ordinary_characters(tokenizer: PreTrainedTokenizerFast) -> None:
    ids = tokenizer("[PAD] [UNK] good")["input_ids"]
    assert tokenizer.pad_token_id not in ids
    assert spans(tokenizer, "[PAD] good")[0] == "["


def test_the_saved_file_alone_gives_the_same_ids(tokenizer: PreTrainedTokenizerFast, tmp_path) -> None:
    tokenizer.save_pretrained(tmp_path)
    loaded = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    for text in [*SAMPLE, "[PAD] ÀÉ ﬁne xyz 日本"]:
        assert loaded(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert (loaded.pad_token_id, loaded.unk_token_id, loaded.padding_side) == (0, 1, "right")


def test_added_words_get_new_ids_and_the_others_keep_theirs(words: PreTrainedTokenizerFast) -> None:
    before = words.get_vocab()
    texts = ["goodish well-made goodish", "Goodish madeup madeup madeup", "rare", "made"]
    extended = add_words(words, texts, len(before) + 1)
    assert extended.get_vocab() == before | {"goodish": len(before)}
    assert "madeup" in add_words(words, texts, len(before) + 99).get_vocab()
    assert "rare" not in add_words(words, texts, len(before) + 99).get_vocab()
    assert pieces(extended, "@Some_Body [PAD] GOODISH rare") == ["@", "[UNK]", "[UNK]", "[UNK]", "goodish", "[UNK]"]
    assert words.get_vocab() == before
    with pytest.raises(ValueError, match="whole words"):
        add_words(train_tokenizer(texts, 60, subwords=True), texts, 99)


@pytest.fixture(scope="module")
def split(words: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    """Return the tokenizer of whole words with pieces of others."""
    return add_pieces(words, ["goodish reddish bluish wellish thinkish"] * 3, 90)


def test_an_unknown_word_becomes_a_known_beginning_and_pieces(split: PreTrainedTokenizerFast) -> None:
    assert pieces(split, "Goodish wellness") == ["good", "##ish", "well", "##n", "##e", "##s", "##s"]
    assert spans(split, "a GOODISH!") == ["a", "GOOD", "ISH", "!"]
    assert split.decode(split("it's goodish")["input_ids"]) == "it 's goodish"


def test_pieces_leave_known_words_and_ids_as_they_were(
    words: PreTrainedTokenizerFast, split: PreTrainedTokenizerFast
) -> None:
    before, after = words.get_vocab(), split.get_vocab()
    assert len(before) < len(after) <= len(before) + 90
    assert len(add_pieces(words, SAMPLE, 75)) == len(before) + 75  # 72 letters, and 3 of the other pieces
    assert before.items() <= after.items()
    for text in SAMPLE:
        assert split(text)["input_ids"] == words(text)["input_ids"]
    assert words.get_vocab() == before


@given(text=st.text("abcxyz019'ABC", min_size=1, max_size=LONGEST_WORD))
def test_no_word_of_ascii_letters_and_digits_is_unknown(split: PreTrainedTokenizerFast, text: str) -> None:
    assert split.unk_token_id not in split(f"a{text}".replace("'", " "))["input_ids"]


@pytest.mark.parametrize("text", ["日本", "привет", "😡", "goodя", "a" * (LONGEST_WORD + 1)])
def test_words_of_other_characters_and_very_long_ones_stay_unknown(split: PreTrainedTokenizerFast, text: str) -> None:
    assert pieces(split, text) == ["[UNK]"]


def test_tokens_are_counted_by_kind(words: PreTrainedTokenizerFast, split: PreTrainedTokenizerFast) -> None:
    rows = split(["", "goodish good wellness 日本 a .", "good", "goodish", "goodish"])["input_ids"]
    counter = TokenCounter(split.get_vocab(), split.unk_token_id)
    pieces = [len(rows[3]) - 1, len(rows[1]) - 6]
    assert list(counter.count(rows)) == [
        (0, 0, 0, 0, 0),
        (len(rows[1]), 1, 1, pieces[1], 2),
        (1, 0, 0, 0, 0),
        *[(1 + pieces[0], 0, 0, pieces[0], 1)] * 2,
    ]
    assert pieces[0] >= 1
    assert list(counter.count([])) == []
    assert TokenCounter(words.get_vocab(), words.unk_token_id).continued == set()


def test_a_long_word_of_the_vocabulary_is_known(split: PreTrainedTokenizerFast) -> None:
    long = "o" * (2 * LONGEST_WORD)
    assert pieces(add_words(split, [long] * 3, 999), long) == [long]


def test_words_added_to_a_tokenizer_with_pieces_are_whole(split: PreTrainedTokenizerFast) -> None:
    extended = add_words(split, ["reddish привет"] * 3, len(split) + 9)
    assert len(extended) == len(split) + 2
    assert pieces(extended, "reddish привет goodish") == ["reddish", "привет", "good", "##ish"]


def test_pieces_can_be_added_twice(split: PreTrainedTokenizerFast) -> None:
    again = add_pieces(split, ["wellness goodness isness"] * 3, 1)
    assert again.get_vocab() == split.get_vocab() | {"##ness": len(split)}
    assert pieces(again, "wellness") == ["well", "##ness"]


def test_misspelled_forms_of_known_words_are_read_in_few_pieces(words: PreTrainedTokenizerFast) -> None:
    with_forms = add_pieces(words, ["think well-made think"] * 3, 200)
    assert len(pieces(with_forms, "thnik")) < len("thnik")


def test_rests_of_unknown_words_are_counted_with_their_uses_and_words() -> None:
    longest = "x" * LONGEST_WORD
    uses = {"going": 3, "doing": 2, "boing": 4, "go": 9, "'tis": 5, "caf\u00e9": 6, longest: 1, longest + "x": 1}
    rests = count_rests(Counter(uses), {*FIRST_LETTERS, "go"})
    assert rests == {"ing": (3, 1), "oing": (6, 2), longest[1:]: (1, 1)}


def test_misspelled_forms_share_the_uses_of_their_word() -> None:
    rests = count_rests(Counter({"abcd": 100}), {*FIRST_LETTERS, "abcd"})
    assert sum(uses for uses, _ in rests.values()) == pytest.approx(MISSPELLED * 100)
    assert rests["cd"] == (rests["bbcd"][0], 1)  # "acd" and "abbcd"


def test_the_pieces_that_save_most_tokens_in_enough_words_come_first() -> None:
    letters = set(FIRST_LETTERS)
    rests = {"ing": (9.0, MIN_FREQUENCY), "ab": (17.0, MIN_FREQUENCY), "xy": (99.0, MIN_FREQUENCY - 1)}
    assert choose_pieces(rests, letters, 2) == ["ing", "ab"]  # 18 and 17 tokens less
    long = FIRST_LETTERS[: LONGEST_PIECE + 1]
    assert choose_pieces({long: (1.0, MIN_FREQUENCY)}, letters, 1) == [long[:LONGEST_PIECE]]


def test_pieces_need_whole_words_and_room_for_the_letters(words: PreTrainedTokenizerFast) -> None:
    with pytest.raises(ValueError, match="single letters need"):
        add_pieces(words, SAMPLE, 36)
    with pytest.raises(ValueError, match="whole words"):
        add_pieces(train_tokenizer(SAMPLE, 60, subwords=True), SAMPLE, 99)
    assert not any(word.startswith(CONTINUED) for word in words.get_vocab())


def test_unknown_words_are_never_a_known_word(words: PreTrainedTokenizerFast) -> None:
    assert pieces(words, "goodish") == ["[UNK]"]


@given(st.lists(st.text() | st.sampled_from([*SAMPLE, "[PAD] [UNK]"]), max_size=5), st.integers(1, 9))
def test_the_ends_are_those_that_the_tokenizer_returns(
    tokenizer: PreTrainedTokenizerFast, texts: list[str], limit: int
) -> None:
    expected = [keep_ends(tokenizer(text)["input_ids"], limit) for text in texts]
    tokenizer(SAMPLE, padding=True, truncation=True, max_length=2)  # stay set until the next call
    assert encode_ends(tokenizer, texts, limit) == expected


@given(st.lists(st.integers(), max_size=40), st.integers(1, 20))
def test_keep_ends_keeps_the_first_and_the_last_half(ids: list[int], limit: int) -> None:
    kept = keep_ends(ids, limit)
    assert len(kept) == min(len(ids), limit)
    if len(ids) > limit:
        head = (limit + 1) // 2
        assert kept[:head] == ids[:head]
        assert kept[head:] == ids[len(ids) - limit + head :]
