"""Configuration of a model, without torch or transformers; every checkpoint folder holds a copy of this file."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

from huggingface_hub.dataclasses import strict

Cell = Literal["gru", "lstm", "rnn"]
ProblemType = Literal["regression", "single_label_classification", "multi_label_classification"]  # of transformers
MULTI_LABEL: ProblemType = "multi_label_classification"
SHORTEST, REFERENCE, LONGEST = 10, 100, 1_000  # tokens, in `length_factor`


def length_factor(tokens: Any, exponent: float) -> Any:
    """Return the factors of the temperature for texts with these numbers of tokens (an array or a tensor)."""
    return (tokens.clip(SHORTEST, LONGEST) / REFERENCE) ** exponent


@strict
@dataclass(kw_only=True)
class ModelConfig:
    """Everything besides its weights that a model needs.

    Args:
        vocab_size: rows of the embedding table.
        embedding_size: numbers per token embedding (E).
        hidden_size: units of one recurrent layer in one direction (H).
        num_layers: recurrent layers stacked on one another.
        bidirectional: whether a second set of units reads each text backwards.
        cell: "gru", "lstm" or "rnn" (tanh), with PyTorch's equations.
        pooling: input of the linear head, from the states of the last layer: the "last" state of each direction,
            their "mean", their "max", or both joined ("mean_max").
        word_dropout: share of tokens replaced by `unk_token_id` while training.
        embedding_dropout: dropout on embeddings while training.
        layer_dropout: dropout between stacked recurrent layers while training.
        output_dropout: dropout on the pooled states while training.
        pad_token_id: id of padding, whose embedding stays zero.
        unk_token_id: id of the token that stands for unknown words.
        max_tokens: number of tokens that are read; of longer texts, the first and last half of this number.
        temperature: divisor of the logits of a text of 100 tokens, fitted on validation texts (Guo et al. 2017, "On
            Calibration of Modern Neural Networks").
        temperature_exponent: dependence of the divisor on length: it is `temperature * (tokens / 100) ** exponent`,
            with tokens taken as at least 10 and at most 1,000. Below 0, short texts are judged with less confidence.
        uncertain_below: predictions whose highest score is below this are called uncertain.
        problem_type: "multi_label_classification" if a text may have any number of labels, each with a score of its
            own (a sigmoid); otherwise a text has one label, and the scores sum to 1 (softmax).
        label_threshold: score from which a text has a label, if it may have several; fitted on validation texts.
        initializer_range: standard deviation of new embeddings and of the new linear head.
        id2label: names of the labels, by their ids 0, 1, ...
        label2id: ids of the labels, by their names.

    Raises:
        huggingface_hub.errors.StrictDataclassError: A value has the wrong type or contradicts another; the message
            names the fields.
    """

    vocab_size: int = 30_000
    embedding_size: int = 128
    hidden_size: int = 128
    num_layers: int = 1
    bidirectional: bool = True
    cell: Cell = "gru"
    pooling: Literal["last", "mean", "max", "mean_max"] = "mean_max"
    word_dropout: float = 0.0
    embedding_dropout: float = 0.0
    layer_dropout: float = 0.0
    output_dropout: float = 0.0
    pad_token_id: int = 0
    unk_token_id: int = 1
    max_tokens: int = 2_000
    temperature: float = 1.0
    temperature_exponent: float = 0.0
    uncertain_below: float = 0.0
    problem_type: ProblemType | None = None
    label_threshold: float = 0.5
    initializer_range: float = 0.1
    id2label: dict[int, str] | dict[str, str] | None = None  # JSON has strings as keys
    label2id: dict[str, int] | None = None

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the configuration with the values of a config.json; values of other names are ignored."""
        return cls(**{field.name: content[field.name] for field in fields(cls) if field.name in content})

    @property
    def labels(self) -> list[str]:
        """The names of the labels, in the order of their ids."""
        names = {int(i): name for i, name in (self.id2label or {}).items()}
        return [names[i] for i in range(len(names))]

    @property
    def multi_label(self) -> bool:
        """True if a text may have any number of labels."""
        return self.problem_type == MULTI_LABEL

    def validate_problem_type(self) -> None:
        """Raise ValueError for a regression, and for a threshold outside (0, 1)."""
        if self.problem_type == "regression":
            raise ValueError("problem_type is 'regression', which this model does not have")
        if not 0 < self.label_threshold < 1:
            raise ValueError(f"label_threshold is {self.label_threshold}; it must be between 0 and 1")

    def validate_sizes(self) -> None:
        """Raise ValueError for sizes below 1 and token ids outside the vocabulary."""
        for name in ("vocab_size", "embedding_size", "hidden_size", "num_layers", "max_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("pad_token_id", "unk_token_id"):
            if not 0 <= getattr(self, name) < self.vocab_size:
                raise ValueError(f"{name} {getattr(self, name)} lies outside vocab_size {self.vocab_size}")
        if self.pad_token_id == self.unk_token_id:
            raise ValueError(f"pad_token_id and unk_token_id are both {self.pad_token_id}")

    def validate_rates(self) -> None:
        """Raise ValueError for dropouts outside [0, 1), temperatures that are not positive and bands outside [0, 1]."""
        for name in ("word_dropout", "embedding_dropout", "layer_dropout", "output_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be in [0, 1)")
        if self.layer_dropout and self.num_layers == 1:
            raise ValueError("layer_dropout acts between layers, but num_layers is 1")
        if not self.temperature > 0:
            raise ValueError(f"temperature is {self.temperature}; it must be above 0")
        if not -1 <= self.temperature_exponent <= 1:
            raise ValueError(f"temperature_exponent is {self.temperature_exponent}; it must be in [-1, 1]")
        if not 0 <= self.uncertain_below <= 1:
            raise ValueError(f"uncertain_below is {self.uncertain_below}; it must be in [0, 1]")

    def validate_labels(self) -> None:
        """Raise ValueError unless id2label has the ids 0, 1, ..., unique names, and agrees with label2id."""
        id2label = self.id2label or {}
        if sorted(int(i) for i in id2label) != list(range(len(id2label))) or len(id2label) < 2:
            raise ValueError(f"id2label has the ids {list(id2label)}; it needs 0, 1, ... for two labels or more")
        names = {name: int(i) for i, name in id2label.items()}
        if len(names) != len(id2label):
            raise ValueError(f"id2label names a label twice: {list(id2label.values())}")
        if self.label2id is not None and {k: int(v) for k, v in self.label2id.items()} != names:
            raise ValueError(f"label2id {self.label2id} contradicts id2label {id2label}")
