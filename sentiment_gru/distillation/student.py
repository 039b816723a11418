"""Train the student: the labelled texts of all corpora, soft labels of teachers, and twins of texts.

Texts that differ in a name, place, number or identity term get the same verdict by counterfactual logit pairing: the
difference between the logits of a text and of its swapped twin is part of the loss (Garg et al. 2019, "Counterfactual
Fairness in Text Classification through Robustness").

Both directions of a recurrent layer learn at once, each in a thread; EXPERIMENTS.md says how much time that saves. The
cells are the layer's own, so that states and gradients are the same, and so are the names in a checkpoint.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from transformers import EarlyStoppingCallback, PreTrainedTokenizerFast, set_seed

from ..checkpoint import save_checkpoint
from ..data.soft_labels import SoftLabels
from ..data.splits import Corpus, JoinedSplit, held_out
from ..labels import POLES
from ..network import Network, RecurrentLayer, reverse_padded
from ..tokenization import keep_ends
from ..training.callbacks import SaveWithinEpochs
from ..training.datasets import join_train
from ..training.initial import fill_schedule
from ..training.options import TrainingOptions
from ..training.output_folder import RunFolder
from ..training.report import calibrate, write_report
from ..training.run import dev_metrics, load_initial, run_trainer, training_arguments
from ..training.trainer import EncodedTexts, SentimentTrainer
from .grammar import terms

LISTS = ("identities", "first_names", "places")
# Words that describe things as often as people; a swapped "old joke" would be no counterfactual.
AMBIGUOUS = frozenset((
    "old", "young", "white", "Black", "black", "brown", "blind", "deaf", "female", "male", "Orthodox", "retired",
    "elderly", "tall", "slim", "bald", "married", "religious", "secular", "adopted", "vegan",
    "Grace", "Max", "Rosa", "Florence", "Georgia", "Turkey", "Jordan",
))  # fmt: skip
PLACEHOLDER = "[NAME]"  # what stands for a name in the comments of GoEmotions
NUMBER = re.compile(r"(?<![\w.,])\d{1,4}(?![\w.,%/]|-\w)")
OTHER_SHARE = 0.5  # of the terms that take the place of another: made-up names, and people of the list `people`
ONSETS = ("b", "br", "c", "ch", "d", "dr", "f", "g", "gr", "h", "j", "k", "kh", "l", "m", "n", "p", "r", "s", "sh",
          "st", "t", "th", "v", "w", "y", "z")  # fmt: skip
VOWELS = ("a", "e", "i", "o", "u", "ai", "ee", "ia")
CODAS = ("", "h", "k", "l", "n", "r", "s", "sh", "th", "v")
LONGEST = 60  # words of a text that gets a twin, so that the twins of reviews do not double the work
Result = TypeVar("Result")


class TermSwapper:
    """Swap every name, place, identity term and number of a text for another of its kind."""

    def __init__(self, seed: int) -> None:
        self.draws = np.random.default_rng(seed)
        self.kinds = {term: name for name in LISTS for term in terms(name) if term not in AMBIGUOUS}
        alternatives = "|".join(re.escape(term) for term in sorted(self.kinds, key=len, reverse=True))
        self.pattern = re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)|{re.escape(PLACEHOLDER)}|{NUMBER.pattern}")

    def twin(self, text: str) -> str | None:
        """Return the swapped text, or None if there is nothing to swap or the text is long."""
        if len(text.split()) > LONGEST:
            return None
        chosen: dict[str, str] = {}
        swapped = self.pattern.sub(lambda match: chosen.setdefault(match[0], self.other(match[0])), text)
        return swapped if swapped != text else None

    def other(self, term: str) -> str:
        """Draw another term of the same kind, a made-up name or another description, or a number of as many digits."""
        if term.isdigit():
            return str(self.draws.integers(10 ** (len(term) - 1), 10 ** len(term)))
        kind = self.kinds.get(term, "first_names")
        other = self.draws.random() < OTHER_SHARE
        if other and kind != "identities":
            return self.made_up_name()
        among = [found for found in terms("people" if other else kind) if found != term]
        return among[int(self.draws.integers(len(among)))]

    def made_up_name(self) -> str:
        """Draw a name of a few syllables, so that names which no list has are read as names, too."""
        syllables = [self.draws.choice(ONSETS) + self.draws.choice(VOWELS) for _ in range(self.draws.integers(2, 4))]
        return ("".join(syllables) + self.draws.choice(CODAS)).capitalize()

    def twins(self, texts: Sequence[str]) -> dict[str, str]:
        """Return the twins of those texts that have one."""
        found = {text: self.twin(text) for text in texts}
        return {text: twin for text, twin in found.items() if twin}


class PairedTexts(EncodedTexts):
    """Encoded texts, some of them with the token ids of a twin."""

    def __init__(
        self,
        joined: JoinedSplit,
        tokenizer: PreTrainedTokenizerFast,
        labels: Sequence[str],
        limit: int,
        soft_targets: Mapping[str, Mapping[str, float]],
        twins: Mapping[str, str],
    ) -> None:
        super().__init__(joined, tokenizer, labels, limit, soft_targets)
        for row, text in zip(self.rows, joined.split.texts, strict=True):
            if text in twins:
                row["twin"] = keep_ends(tokenizer(twins[text], return_attention_mask=False)["input_ids"], limit)


class PairCollator:
    """Pad a batch, its twins after its texts; `twin_of` says whose each is."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return (B + P, T) ids and mask, (B + P, C) labels and present, and (P,) indices of the texts with a twin."""
        twin_of = [index for index, row in enumerate(rows) if "twin" in row]
        ids = [row["input_ids"] for row in rows] + [rows[index]["twin"] for index in twin_of]
        both = [*rows, *(rows[index] for index in twin_of)]
        batch = dict(self.tokenizer.pad({"input_ids": ids}, return_tensors="pt"))
        batch |= {name: torch.tensor([row[name] for row in both]) for name in ("labels", "present")}
        return batch | ({"twin_of": torch.tensor(twin_of)} if twin_of else {})


class PairedTrainer(SentimentTrainer):
    """Trainer whose loss also counts how far the logits of a text and of its twin are apart."""

    def __init__(self, *, pairing: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pairing = pairing

    def mean_loss(self, logits: Tensor, inputs: dict[str, Any]) -> Tensor:
        """Return the loss of texts and twins, and `pairing` times the mean squared difference of their logits."""
        loss = super().mean_loss(logits, inputs)
        if "twin_of" not in inputs:
            return loss
        twin_of = inputs["twin_of"]
        gap = logits[twin_of] - logits[len(logits) - len(twin_of) :]
        return loss + self.pairing * gap.square().mean() * len(twin_of) / len(logits)


def at_once(first: Callable[[], Result], second: Callable[[], Result]) -> tuple[Result, Result]:
    """Return both results; the first function runs in another thread."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(first)
        result = second()
        return waiting.result(), result


class BothDirections(torch.autograd.Function):
    """Two cells, each on inputs of its own; PyTorch's backward pass would run them one after the other."""

    @staticmethod
    def forward(ctx: Any, cells: tuple[nn.Module, nn.Module], *tensors: Tensor) -> tuple[Tensor, Tensor]:
        """Return the (B, T, H) states of both cells.

        Args:
            ctx: context that keeps both graphs.
            cells: of one kind and size.
            tensors: (B, T, *) inputs of each cell, then the parameters of both, which get their gradients here.
        """
        inputs = [tensor.detach().requires_grad_() for tensor in tensors[:2]]

        def states(index: int) -> Tensor:
            with torch.enable_grad():
                return cells[index](inputs[index])[0]

        found = at_once(lambda: states(0), lambda: states(1))
        ctx.graphs = [
            (states, [given, *cell.parameters()]) for states, given, cell in zip(found, inputs, cells, strict=True)
        ]
        return found[0].detach(), found[1].detach()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the tensors from those of both states."""

        def propagate(index: int) -> tuple[Tensor, ...]:
            states, tensors = ctx.graphs[index]
            return torch.autograd.grad(states, tensors, gradients[index])

        forward, backward = at_once(lambda: propagate(0), lambda: propagate(1))
        ctx.graphs = []
        return None, forward[0], backward[0], *forward[1:], *backward[1:]


class TwoThreadLayer(RecurrentLayer):
    """A bidirectional layer that shares its cells with another and learns from both at once."""

    def __init__(self, layer: RecurrentLayer) -> None:
        nn.Module.__init__(self)
        self.forward_cell, self.backward_cell = layer.forward_cell, layer.backward_cell

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Return (B, T, 2 * H) states of (B, T, *) inputs; both halves at index t belong to token t."""
        if self.backward_cell is None or not torch.is_grad_enabled():
            return super().forward(inputs, lengths)
        cells = (self.forward_cell, self.backward_cell)
        parameters = [parameter for cell in cells for parameter in cell.parameters()]
        states, mirrored = BothDirections.apply(cells, inputs, reverse_padded(inputs, lengths), *parameters)
        return torch.cat([states, reverse_padded(mirrored, lengths)], dim=-1)


def use_two_threads(network: Network) -> None:
    """Make the layers of a network train both directions in parallel."""
    for index, layer in enumerate(network.layers):
        if isinstance(layer, RecurrentLayer):
            network.layers[index] = TwoThreadLayer(layer)


def train_on_soft_labels(
    options: TrainingOptions,
    corpora: Sequence[Corpus],
    soft: Sequence[SoftLabels],
    pairing: float,
) -> None:
    """Train from the options' initial checkpoint, or go on with a training that was stopped.

    Args:
        options: of the training.
        corpora: under the split rule.
        soft: opinions of teachers, which replace labels or add texts.
        pairing: weight of the difference between the logits of a text and of its twin; 0 for no twins.

    Raises:
        KeyboardInterrupt: the training was stopped before its end.
    """
    started = time.perf_counter()
    options = fill_schedule(options)
    run = RunFolder(options)
    options.resume = run.record.is_file()
    run.check()
    set_seed(options.seed)
    unwanted = held_out(corpora)
    soft = [part.without(unwanted) for part in soft]
    texts = join_train(corpora, soft)
    dev = JoinedSplit.join({corpus.name: corpus.dev for corpus in corpora})
    options, model, tokenizer = load_initial(options, POLES)
    use_two_threads(model)
    targets = {text: target for part in soft for text, target in part.targets().items()}
    twins = TermSwapper(options.seed).twins(texts.split.texts) if pairing else {}
    trainer = PairedTrainer(
        pairing=pairing,
        ema_decay=options.ema_decay,
        absent_weight=options.absent_weight,
        adversarial=options.adversarial,
        model=model,
        args=training_arguments(options),
        train_dataset=PairedTexts(texts, tokenizer, POLES, options.train_tokens, targets, twins),
        eval_dataset=EncodedTexts(dev, tokenizer, POLES, options.train_tokens),
        data_collator=PairCollator(tokenizer),
        compute_metrics=dev_metrics(dev, POLES),
        callbacks=[EarlyStoppingCallback(options.patience), SaveWithinEpochs(options.save_steps)],
    )
    facts = run_trainer(trainer, run, [texts.split, dev.split])
    if facts["interrupted"]:
        raise KeyboardInterrupt
    with run.staging() as folder:
        save_checkpoint(trainer.model, tokenizer, folder)
        calibrate(folder, dev)
        facts |= {"minutes": round((time.perf_counter() - started) / 60, 1), "twins": len(twins)}
        write_report(folder, options, corpora, trainer.state.log_history, facts)
    run.remove()
