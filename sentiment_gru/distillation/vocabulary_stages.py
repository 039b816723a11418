"""The stage `vocabulary`: words and pieces, from nothing or added to the initial checkpoint."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedTokenizerFast

from ..checkpoint import load_config, load_model, load_tokenizer, resolve, save_checkpoint
from ..errors import CheckpointError
from ..labels import POLES
from ..tokenization import add_pieces, add_words, train_tokenizer
from .augmentation import EMOJI
from .recipe import Setting
from .texts import corpora_of, short_corpora, unlabelled_reviews

MOST_USES = 1_000  # of a word that the initial checkpoint lacks, so that each emoji comes before it
Figures = Mapping[str, Any]


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
