"""The encoder is trained in the number format that this CPU multiplies faster, on all cores and no longer."""

from pathlib import Path

import pytest
import torch

from sentiment_gru.distillation import encoder
from sentiment_gru.distillation.encoder import EncoderClassifier, Targets, fine_tune, is_bfloat16_faster


@pytest.mark.parametrize(
    ("has_instructions", "seconds", "expected"),
    [(False, 0.5, False), (True, 0.5, True), (True, 1.5, False)],
)
def test_bfloat16_needs_its_instructions_and_must_be_faster(
    monkeypatch: pytest.MonkeyPatch, has_instructions: bool, seconds: float, expected: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": has_instructions})
    monkeypatch.setattr(encoder, "_product_seconds", {torch.bfloat16: seconds, torch.float32: 1.0}.__getitem__)
    assert is_bfloat16_faster.__wrapped__() is expected


def test_both_formats_are_timed() -> None:
    assert encoder._product_seconds(torch.float32) > 0
    assert encoder._product_seconds(torch.bfloat16) > 0


def test_a_training_that_fails_restores_the_number_of_threads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    during = []

    class Failing:
        def train(self, resume_from_checkpoint: None) -> None:
            during.append(torch.get_num_threads())
            raise RuntimeError("out of memory")

    monkeypatch.setattr(encoder, "EncoderClassifier", lambda name: EncoderClassifier.__new__(EncoderClassifier))
    monkeypatch.setattr(encoder, "_build_trainer", lambda *_: Failing())
    monkeypatch.setattr(encoder.os, "cpu_count", lambda: 3)
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError, match="out of memory"):
        fine_tune("any", Targets.__new__(Targets), tmp_path / "out", epochs=1)
    assert during == [3]
    assert torch.get_num_threads() == before
