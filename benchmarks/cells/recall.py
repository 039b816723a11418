"""Delayed recall, measured: see `sentiment_gru.explanation.delayed_recall` for the task."""

import time
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional as F

from sentiment_gru.configuration import SentimentGRUConfig
from sentiment_gru.explanation.delayed_recall import VARIANTS, WINDOW, Task, draw
from sentiment_gru.model_config import Cell
from sentiment_gru.modeling import SentimentGRUForSequenceClassification

from .results import WORK, claim, describe, is_done, load_average, read_result, share, write_result
from .runs import SEEDS

LAGS = (10, 20, 50, 100, 200)
TESTED = 2_000  # sequences at the end


def build(task: Task, cell: str, forget_bias: float, seed: int) -> SentimentGRUForSequenceClassification:
    """Return a new network that answers by its last state; no token is padding."""
    torch.manual_seed(seed)
    tokens = task.classes + task.distractors
    model = SentimentGRUForSequenceClassification(
        SentimentGRUConfig(
            cell=cast(Cell, cell),
            vocab_size=tokens + 2,
            pad_token_id=tokens,
            unk_token_id=tokens + 1,
            embedding_size=task.embedding,
            hidden_size=task.hidden,
            bidirectional=False,
            pooling="last",
            id2label={i: str(i) for i in range(task.classes)},
            label2id={str(i): i for i in range(task.classes)},
        )
    )
    nn.init.normal_(model.embedding.weight)  # inputs of size 1, as of one-hot vectors
    if forget_bias:
        bias = dict(model.layers.named_parameters())["0.forward_cell.bias_ih_l0"]
        bias.data[task.hidden : 2 * task.hidden] = forget_bias  # second of i f g o
    return model


def learn(task: Task, variant: str, lag: int, seed: int) -> dict[str, Any]:
    """Train a network and return its accuracy on new sequences, steps and seconds."""
    model = build(task, *VARIANTS[variant], seed)
    optimizer = torch.optim.Adam(model.parameters(), task.rate)
    generator = torch.Generator().manual_seed(seed)
    recent: deque[int] = deque(maxlen=WINDOW)
    started, steps = time.process_time(), 0
    while steps < task.steps and sum(recent) < WINDOW * task.batch:
        tokens, classes = draw(task, lag, task.batch, generator)
        logits = model(input_ids=tokens).logits
        optimizer.zero_grad()
        F.cross_entropy(logits, classes).backward()
        nn.utils.clip_grad_norm_(model.parameters(), task.clip)
        optimizer.step()
        recent.append(int((logits.argmax(dim=1) == classes).sum()))
        steps += 1
    cpu_seconds = round(time.process_time() - started, 1)
    with torch.inference_mode():
        tokens, classes = draw(task, lag, TESTED, generator)
        right = model(input_ids=tokens).logits.argmax(dim=1) == classes
    return share(right.numpy()) | {"steps": steps, "cpu_seconds": cpu_seconds}


def measure_recall(path: Path, work: Path = WORK, task: Task | None = None, lags: tuple[int, ...] = LAGS) -> None:
    """Make the trainings that are neither there nor being made elsewhere, and write what is there by now."""
    task = task or Task()
    whole = read_result(path)
    if whole and whole["settings"] == settings_of(task, lags) and whole["done"] == whole["planned"]:
        return
    pieces = {}
    for seed in SEEDS:
        for lag in lags:
            for variant in VARIANTS:
                settings = {"variant": variant, "lag": lag, "seed": seed, "task": asdict(task)}
                piece = work / "recall" / f"{variant.replace(', ', '-').replace(' ', '-')}-{lag}-{seed}.json"
                pieces[piece] = settings
                with claim(piece.with_suffix(".lock")) as ours:
                    if ours and not is_done(piece, settings):
                        load = load_average()
                        write_result(piece, {"settings": settings, "load": load} | learn(task, variant, lag, seed))
    if found := [read_result(piece) for piece, settings in pieces.items() if is_done(piece, settings)]:
        combine(path, task, lags, found)


def settings_of(task: Task, lags: tuple[int, ...]) -> dict[str, Any]:
    """Return what shapes the result file."""
    return {"task": asdict(task), "lags": list(lags), "variants": list(VARIANTS), "seeds": list(SEEDS)}


def combine(path: Path, task: Task, lags: tuple[int, ...], found: list[Any]) -> None:
    """Write the result file: of each variant, by lag, the accuracy and steps of each seed."""
    result = describe("recall", f"random tokens: {task.classes} classes, {task.distractors} distractors")
    result |= {
        "settings": settings_of(task, lags),
        "chance": 1 / task.classes,
        "tested": TESTED,
        "done": len(found),
        "planned": len(VARIANTS) * len(lags) * len(SEEDS),
        "cpu_minutes": round(sum(piece["cpu_seconds"] for piece in found) / 60, 1),
        "load": [min(piece["load"] for piece in found), max(piece["load"] for piece in found)],
    }
    result["variants"] = {
        variant: {
            str(lag): {
                name: [p[name] for p in found if (p["settings"]["variant"], p["settings"]["lag"]) == (variant, lag)]
                for name in ("accuracy", "steps")
            }
            for lag in lags
        }
        for variant in VARIANTS
    }
    write_result(path, result)
