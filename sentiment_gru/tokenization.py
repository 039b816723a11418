"""Train the tokenizer; `tokenizer.json` holds all text processing, so training and serving are identical."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

if TYPE_CHECKING:  # verdicts need no transformers
    from transformers import PreTrainedTokenizerFast

PAD_TOKEN, UNK_TOKEN = "[PAD]", "[UNK]"
MIN_FREQUENCY = 3
SPECIAL: dict[str, Any] = {
    "pad_token": PAD_TOKEN,
    "unk_token": UNK_TOKEN,
    "padding_side": "right",
    "model_input_names": ["input_ids", "attention_mask"],
    "split_special_tokens": True,  # "[PAD]" in a text is five characters
}

# Removed before the text is split: line-break tags, and everything after "http" and "@". Addresses and names carry no
# sentiment, and the tweets of the training data mask them as "http" and "@user".
NOISE_PATTERN = r"<br\s*/?>|(?<=http)s?://\S+|www\.\S+|(?<=@)\w+"

# Alternatives are tried in order at each position of the normalised text. Characters that none matches (spaces, control
# characters, joiners, skin tones) are removed.
WORD_PATTERN = "|".join(
    [
        r"\p{L}++(?!'t\b)",  # most words; the possessive ++ does not backtrack
        r"[:;=][-o^']?[)(\]\[dp/\\|*3]+(?!\w)|<3+",  # emoticons, lower-cased
        r"\p{L}+(?=n't\b)|n't\b",  # don't -> do n't, can't -> ca n't: the negation is a separate token
        r"'(?:s|m|d|re|ve|ll)\b",
        r"\p{L}+",  # the part of a word before 't
        r"\p{N}+(?:[.,:/]\p{N}+)*",  # 7.5, 10:30, 8/10
        r"\.\.\.",
        r"[^\s\p{L}\p{N}\p{M}\p{C}\x{1F3FB}-\x{1F3FF}]",  # punctuation and emoji, one by one
    ]
)


def build_normalizer() -> normalizers.Normalizer:
    """Return the normalizer applied before splitting; it keeps the alignment with the original text."""
    return normalizers.Sequence(
        [
            normalizers.NFKD(),  # also turns an ellipsis into three dots, and full-width forms into ASCII
            normalizers.StripAccents(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex("[\u2018\u2019\u02bc`\u00b4]"), "'"),
            normalizers.Replace(Regex("[\u201c\u201d\u201e]"), '"'),
        ]
    )


def train_tokenizer(texts: Iterable[str], vocab_size: int, subwords: bool = False) -> "PreTrainedTokenizerFast":
    """Learn a vocabulary from training texts.

    Args:
        texts: Training texts; validation or test texts would leak.
        vocab_size: Largest number of entries, including the two special tokens.
        subwords: Use byte-pair encoding (Sennrich et al. 2016) instead of whole words.

    Returns:
        Tokenizer without maximum length; `[PAD]` has id 0 and `[UNK]` id 1.
    """
    from transformers import PreTrainedTokenizerFast

    settings: dict[str, Any] = {
        "vocab_size": vocab_size,
        "min_frequency": MIN_FREQUENCY,
        "special_tokens": [PAD_TOKEN, UNK_TOKEN],
        "show_progress": False,
    }
    if subwords:
        tokenizer = Tokenizer(models.BPE(unk_token=UNK_TOKEN, continuing_subword_prefix="##"))
        trainer: trainers.Trainer = trainers.BpeTrainer(continuing_subword_prefix="##", **settings)
    else:
        tokenizer = Tokenizer(models.WordLevel(unk_token=UNK_TOKEN))
        trainer = trainers.WordLevelTrainer(**settings)
    tokenizer.normalizer = build_normalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(NOISE_PATTERN), behavior="removed"),
            pre_tokenizers.Split(Regex(WORD_PATTERN), behavior="removed", invert=True),
        ]
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **SPECIAL)


def add_words(tokenizer: "PreTrainedTokenizerFast", texts: Iterable[str], vocab_size: int) -> "PreTrainedTokenizerFast":
    """Return a tokenizer of whole words that also knows the most frequent other words of texts.

    Args:
        tokenizer: Tokenizer of whole words; the ids of its words stay the same.
        texts: Training texts; validation or test texts would leak.
        vocab_size: Largest number of entries; words that occur fewer than `MIN_FREQUENCY` times are left out.

    Raises:
        ValueError: The tokenizer's words are made of pieces.
    """
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    if not isinstance(backend.model, models.WordLevel):
        raise ValueError("words can be added only to a tokenizer of whole words")
    counts: Counter[str] = Counter()
    for text in texts:
        words = backend.pre_tokenizer.pre_tokenize_str(backend.normalizer.normalize_str(text))
        counts.update(word for word, _ in words)
    vocabulary = backend.get_vocab()
    new = [word for word, count in counts.most_common() if count >= MIN_FREQUENCY and word not in vocabulary]
    vocabulary |= {word: len(vocabulary) + i for i, word in enumerate(new[: max(0, vocab_size - len(vocabulary))])}
    backend.model = models.WordLevel(vocabulary, unk_token=UNK_TOKEN)
    return PreTrainedTokenizerFast(tokenizer_object=backend, **SPECIAL)


def is_punctuation(token: str) -> bool:
    """Return whether a token is a punctuation mark or an ellipsis, but not an emoticon or emoji.

    >>> is_punctuation("."), is_punctuation("..."), is_punctuation(":)"), is_punctuation("n't")
    (True, True, False, False)
    """
    return token == "..." or (len(token) == 1 and unicodedata.category(token).startswith("P"))


def keep_ends(ids: list[int], limit: int) -> list[int]:
    """Keep the first and the last half of `limit` tokens; the verdict of a review is often at its end."""
    if len(ids) <= limit:
        return ids
    head = (limit + 1) // 2
    return ids[:head] + ids[len(ids) - (limit - head) :]
