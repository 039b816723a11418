"""Train the tokenizer; `tokenizer.json` holds all text processing, so training and serving are identical."""

import string
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from .spelling import misspellings

if TYPE_CHECKING:  # verdicts need no transformers
    from transformers import PreTrainedTokenizerFast

PAD_TOKEN, UNK_TOKEN = "[PAD]", "[UNK]"
MIN_FREQUENCY = 3
CONTINUED = "##"  # what a piece that continues a word starts with
FIRST_LETTERS = string.ascii_lowercase + string.digits
LETTERS = FIRST_LETTERS + "'"  # a word of these alone is never unknown to a tokenizer with pieces
LONGEST_WORD = 40  # characters of a word that is split
LONGEST_PIECE = 6  # characters
ROUNDS = 10  # in which pieces are chosen
FREQUENT = 5_000  # known words whose misspelled forms count
MISSPELLED = 0.02  # assumed share of misspelled ones among the uses of a known word
SHORTEST_MISSPELLED = 4  # letters
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


def train_tokenizer(
    texts: Iterable[str], vocab_size: int, subwords: bool = False, min_frequency: int = MIN_FREQUENCY
) -> "PreTrainedTokenizerFast":
    """Learn a vocabulary from training texts.

    Args:
        texts: Training texts; validation or test texts would leak.
        vocab_size: Largest number of entries, including the two special tokens.
        subwords: Use byte-pair encoding (Sennrich et al. 2016) instead of whole words.
        min_frequency: Rarer words are left out.

    Returns:
        Tokenizer without maximum length; `[PAD]` has id 0 and `[UNK]` id 1.
    """
    from transformers import PreTrainedTokenizerFast

    settings: dict[str, Any] = {
        "vocab_size": vocab_size,
        "min_frequency": min_frequency,
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
    """Return a tokenizer of the same kind that also knows the most frequent other words of texts.

    Args:
        tokenizer: Tokenizer of whole words, with or without pieces of others; its ids stay the same.
        texts: Training texts; validation or test texts would leak.
        vocab_size: Largest number of entries; words that occur fewer than `MIN_FREQUENCY` times are left out.

    Raises:
        ValueError: The tokenizer's words are byte pairs.
    """
    backend = copy_backend(tokenizer)
    vocabulary = backend.get_vocab()
    counts = count_words(backend, texts)
    new = [word for word, count in counts.most_common() if count >= MIN_FREQUENCY and word not in vocabulary]
    return extend_backend(
        backend, new[: max(0, vocab_size - len(vocabulary))], isinstance(backend.model, models.WordPiece)
    )


def add_pieces(tokenizer: "PreTrainedTokenizerFast", texts: Iterable[str], count: int) -> "PreTrainedTokenizerFast":
    """Return a tokenizer that splits unknown words into known beginnings and pieces such as "##ing".

    A known word stays one token with the same id. An unknown word becomes its longest beginning in the vocabulary,
    then the longest piece that follows, and so on; every letter a to z and every digit is both, so that only words
    with other characters are unknown. The other pieces are those that leave the unknown words of the texts, and
    misspelled forms of the frequent words, with the fewest tokens. Sources: Schuster and Nakajima 2012, "Japanese and
    Korean voice search"; Devlin et al. 2019, "BERT", whose "##" marks a piece that continues a word.

    Args:
        tokenizer: Tokenizer of whole words, with or without pieces of others; its ids stay the same.
        texts: Training texts; validation or test texts would leak.
        count: Most entries to add.

    Raises:
        ValueError: The tokenizer's words are byte pairs, or `count` is too small for the single letters.
    """
    backend = copy_backend(tokenizer)
    known = backend.get_vocab().keys()
    needed = [*FIRST_LETTERS, *(CONTINUED + letter for letter in LETTERS)]
    new = [entry for entry in needed if entry not in known]
    if len(new) > count:
        raise ValueError(f"the single letters need {len(new)} entries, more than {count}")
    entries = known | set(new)
    rests = count_rests(count_words(backend, texts), entries)
    pieces = {entry.removeprefix(CONTINUED) for entry in entries if entry.startswith(CONTINUED)}
    new += [CONTINUED + piece for piece in choose_pieces(rests, pieces, count - len(new))]
    return extend_backend(backend, new, with_pieces=True)


def copy_backend(tokenizer: "PreTrainedTokenizerFast") -> Tokenizer:
    """Return a copy of a tokenizer of whole words; ValueError if its words are byte pairs."""
    backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    if not isinstance(backend.model, models.WordLevel | models.WordPiece):
        raise ValueError("words and pieces can be added only to a tokenizer of whole words")
    return backend


def extend_backend(backend: Tokenizer, entries: Iterable[str], with_pieces: bool) -> "PreTrainedTokenizerFast":
    """Return the tokenizer with further entries, as one of whole words or one that also has pieces."""
    from transformers import PreTrainedTokenizerFast

    vocabulary = backend.get_vocab()
    vocabulary |= {entry: i for i, entry in enumerate(entries, len(vocabulary))}
    if with_pieces:
        backend.model = models.WordPiece(
            vocabulary,
            unk_token=UNK_TOKEN,
            continuing_subword_prefix=CONTINUED,
            max_input_chars_per_word=max(LONGEST_WORD, *map(len, vocabulary)),  # longer ones are unknown
        )
        backend.decoder = decoders.WordPiece(CONTINUED, cleanup=False)
    else:
        backend.model = models.WordLevel(vocabulary, unk_token=UNK_TOKEN)
    return PreTrainedTokenizerFast(tokenizer_object=backend, **SPECIAL)


def count_words(backend: Tokenizer, texts: Iterable[str]) -> Counter[str]:
    """Return how often each normalised word occurs in texts."""
    counts: Counter[str] = Counter()
    for text in texts:
        words = backend.pre_tokenizer.pre_tokenize_str(backend.normalizer.normalize_str(text))
        counts.update(word for word, _ in words)
    return counts


def count_rests(counts: Counter[str], known: Set[str]) -> dict[str, tuple[float, int]]:
    """Return what is left of unknown words behind their longest known beginning: its uses, and in how many words.

    Unknown are words of the texts and misspelled forms of the frequent words.

    Args:
        counts: How often each word occurs in the texts.
        known: The vocabulary, with every single letter.
    """
    words: dict[str, float] = {word: count for word, count in counts.items() if word not in known}
    long = (word for word, _ in counts.most_common() if len(word) >= SHORTEST_MISSPELLED and word.isalpha())
    for word in [word for word in long if word in known][:FREQUENT]:
        forms = [form for made in misspellings(word).values() for form in made if form not in known]
        for form in forms:
            words[form] = words.get(form, 0.0) + MISSPELLED * counts[word] / len(forms)
    rests: dict[str, tuple[float, int]] = {}
    for word, count in words.items():
        if len(word) <= LONGEST_WORD and set(word) <= set(LETTERS) and word[0] in FIRST_LETTERS:
            end = next(end for end in range(len(word), 0, -1) if word[:end] in known)
            uses, number = rests.get(word[end:], (0.0, 0))
            rests[word[end:]] = uses + count, number + 1
    return rests


def choose_pieces(rests: Mapping[str, tuple[float, int]], pieces: Set[str], count: int) -> list[str]:
    """Choose the pieces of 2 to `LONGEST_PIECE` letters that save most tokens, in rounds.

    Each round splits all rests by the pieces so far and takes those that would join most of their tokens. Pieces of
    fewer than `MIN_FREQUENCY` words are left out: they are parts of names.

    Args:
        rests: Rests of words: how often they occur, and in how many words.
        pieces: Pieces so far, without "##"; every single letter is one.
        count: Most pieces to choose.
    """
    chosen: list[str] = []
    for rounds_left in range(ROUNDS, 0, -1):
        known = pieces | set(chosen)
        saved: dict[str, float] = {}
        words: Counter[str] = Counter()
        for rest, (uses, number) in rests.items():
            bounds = split_rest(rest, known)
            for i, start in enumerate(bounds):
                for j in range(i + 2, len(bounds)):
                    if bounds[j] - start > LONGEST_PIECE:
                        break
                    piece = rest[start : bounds[j]]
                    saved[piece] = saved.get(piece, 0.0) + (j - i - 1) * uses
                    words[piece] += number
        common = [piece for piece in saved if words[piece] >= MIN_FREQUENCY]
        best = sorted(common, key=lambda piece: (-saved[piece], piece))
        chosen += best[: -(-(count - len(chosen)) // rounds_left)]
    return chosen


def split_rest(rest: str, pieces: Set[str]) -> list[int]:
    """Return the bounds of the longest pieces, from left to right, that make up a rest of a word.

    >>> split_rest("ible", {"i", "b", "l", "e", "bl", "ble"})
    [0, 1, 4]
    """
    bounds = [0]
    while bounds[-1] < len(rest):
        start = bounds[-1]
        longest = min(len(rest), start + LONGEST_PIECE)
        bounds.append(next(end for end in range(longest, start, -1) if rest[start:end] in pieces))
    return bounds


def encode_ends(tokenizer: "PreTrainedTokenizerFast", texts: Sequence[str], limit: int) -> list[list[int]]:
    """Return the ids of the first and last tokens of each text, `limit` at most.

    They are those that the tokenizer returns, which also computes offsets and takes over twice as long.
    """
    encoder = tokenizer.backend_tokenizer
    encoder.no_padding()
    encoder.no_truncation()
    encoder.encode_special_tokens = tokenizer.split_special_tokens
    return [keep_ends(encoding.ids, limit) for encoding in encoder.encode_batch_fast(list(texts))]


def keep_ends(ids: list[int], limit: int) -> list[int]:
    """Keep the first and the last half of `limit` tokens; the verdict of a review is often at its end."""
    if len(ids) <= limit:
        return ids
    head = (limit + 1) // 2
    return ids[:head] + ids[len(ids) - (limit - head) :]
