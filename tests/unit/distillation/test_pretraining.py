"""The start of students: guessing neighboring words, without seeing them."""

import math
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from sentiment_gru import SentimentClassifier, SentimentGRUConfig, SentimentGRUForSequenceClassification
from sentiment_gru.distillation import pretraining
from sentiment_gru.distillation.pretraining import NeighborGuesser, Windows, learn_language
from sentiment_gru.tokenization import train_tokenizer
from tests.conftest import made_up_texts

WORDS = 10


def guesser(bidirectional: bool = True) -> NeighborGuesser:
    torch.manual_seed(0)
    config = SentimentGRUConfig(
        vocab_size=2 + WORDS, embedding_size=16, hidden_size=32, bidirectional=bidirectional, embedding_dropout=0.0,
        output_dropout=0.0,
    )  # fmt: skip
    frequencies = torch.cat([torch.zeros(2), torch.full((WORDS,), 1 / WORDS)])
    return NeighborGuesser(SentimentGRUForSequenceClassification(config), frequencies)


def final_loss(model: NeighborGuesser, batches: list[torch.Tensor]) -> float:
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for ids in batches:
        loss = model(ids, torch.ones_like(ids))["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses[-20:]) / 20


@pytest.mark.parametrize("bidirectional", [False, True])
def test_what_follows_a_rule_is_guessed_from_both_sides(bidirectional: bool) -> None:
    draws = torch.Generator().manual_seed(0)
    starts = torch.randint(0, WORDS, (120, 8, 1), generator=draws)
    batches = list(2 + (starts + torch.arange(12)) % WORDS)
    assert final_loss(guesser(bidirectional), batches) < 0.1


def test_what_follows_no_rule_cannot_be_guessed_as_it_is_not_seen() -> None:
    draws = torch.Generator().manual_seed(0)
    batches = list(torch.randint(2, 2 + WORDS, (150, 8, 12), generator=draws))
    assert final_loss(guesser(), batches) > 0.95 * math.log(WORDS)


def test_with_every_word_drawn_once_the_loss_is_the_softmax_over_all_words() -> None:
    model = guesser()
    guesses, tokens = torch.randn(5, 16), torch.tensor([2, 3, 3, 7, 11])
    logits = guesses @ model.network.embedding.weight[2:].T
    drawn = torch.arange(2, 2 + WORDS)
    torch.testing.assert_close(model.loss(guesses, tokens, drawn), F.cross_entropy(logits, tokens - 2))


def test_padding_and_the_texts_beside_a_text_do_not_change_what_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NeighborGuesser, "draw", lambda self, tokens: torch.arange(2, 2 + WORDS))
    model = guesser().eval()
    ids = torch.tensor([[2, 3, 4, 5, 6], [7, 8, 9, 0, 0]])
    together = model(ids, (ids > 0).long())["loss"]
    alone = [model(row[None], torch.ones_like(row)[None])["loss"] for row in (ids[0], ids[1, :3])]
    torch.testing.assert_close(together, (4 * alone[0] + 2 * alone[1]) / 6)


def test_long_texts_are_cut_to_windows_and_every_token_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretraining, "WINDOW", 4)
    texts = [row["text"] for row in made_up_texts()]
    tokenizer = train_tokenizer(texts, 200)
    windows = Windows([" ".join(texts[:3]), texts[4], "story"], tokenizer)
    lengths = [len(window["input_ids"]) for window in windows]
    ids = tokenizer([" ".join(texts[:3]), texts[4]])["input_ids"]
    assert lengths == sorted(lengths)
    assert lengths[0] > 1
    assert lengths[-1] == 4
    assert sum(lengths) in (total := sum(map(len, ids)), total - 1, total - 2)  # a last token alone has no neighbor
    assert windows.frequencies(len(tokenizer)).sum().item() == pytest.approx(1)


def test_the_start_is_a_checkpoint_whose_embeddings_and_cells_have_learned(tmp_path: Path) -> None:
    texts = [row["text"] for row in made_up_texts()]
    tokenizer = train_tokenizer(texts, 200)
    labels = {0: "negative", 1: "positive"}
    config = SentimentGRUConfig(vocab_size=len(tokenizer), embedding_size=8, hidden_size=8, id2label=labels)
    network = SentimentGRUForSequenceClassification(config)
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    learn_language(network, tokenizer, texts, tmp_path / "start", epochs=1, batch_size=16)
    after = SentimentClassifier.from_pretrained(tmp_path / "start").model.state_dict()
    assert {name for name in before if not torch.allclose(before[name], after[name], atol=1e-3)} == {
        name for name in before if not name.startswith("classifier")
    }
