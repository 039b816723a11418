"""The network as a transformers model, for training and for the Auto classes and pipelines.

Every checkpoint folder holds a copy of this file. Letters in shape comments are those of `network`.
"""

from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from .configuration import SentimentGRUConfig
from .network import Network


class SentimentGRUForSequenceClassification(PreTrainedModel, Network):
    """`Network` with a loss, and with saving, loading and initialisation by transformers."""

    config: SentimentGRUConfig
    config_class = SentimentGRUConfig
    base_model_prefix = ""
    # The loss is a mean over the batch: Trainer must not rescale it by its own count of items.
    accepts_loss_kwargs = False

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Declare the attributes that transformers adds, which have no types."""

    def __init__(self, config: SentimentGRUConfig) -> None:
        super().__init__(config)
        self.build(config)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Initialise recurrent matrices as orthogonal, input matrices as Xavier-uniform, by gate, and biases as 0."""
        if not isinstance(module, nn.RNNBase):
            super()._init_weights(module)
            return
        for name, parameter in module.named_parameters():
            if getattr(parameter, "_is_hf_initialized", False):  # already read from a checkpoint
                continue
            for gate in parameter.data.split(module.hidden_size):
                if name.startswith("weight_hh"):
                    nn.init.orthogonal_(gate)
                elif name.startswith("weight_ih"):
                    nn.init.xavier_uniform_(gate)
                else:
                    nn.init.zeros_(gate)

    def get_input_embeddings(self) -> nn.Module:
        """Return the embedding table, as transformers expects."""
        return self.embedding

    def set_input_embeddings(self, value: nn.Embedding) -> None:
        """Replace the embedding table, as transformers expects."""
        self.embedding = value

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> SequenceClassifierOutput | tuple[Tensor, ...]:
        """Score a right-padded batch; rows of zero tokens are allowed.

        Args:
            input_ids: (B, T) token ids; or give `inputs_embeds`.
            attention_mask: (B, T), 1 for tokens, then 0 for padding; by default everything but
                `pad_token_id` is a token.
            inputs_embeds: (B, T, E) embeddings in place of ids.
            labels: (B,) label ids, or (B, C) target probabilities; (B, C) with 1 for the labels of a text if it may
                have several.
            output_hidden_states: also return the embeddings and the states of every layer.
            return_dict: False for a plain tuple.

        Returns:
            loss (with labels), logits (B, C) divided by `divisor`, and on request hidden states:
            (B, T, E), then (B, T, D * H) per layer, zero in the padding.

        Raises:
            ValueError: Neither or both inputs are given, or padding is not on the right.
        """
        logits, hidden_states = self.score(input_ids, attention_mask, inputs_embeds)
        loss = F.binary_cross_entropy_with_logits if self.config.multi_label else F.cross_entropy
        output = SequenceClassifierOutput(
            loss=None if labels is None else loss(logits, labels),
            logits=logits,
            hidden_states=hidden_states if output_hidden_states else None,
        )
        return output if return_dict is not False else output.to_tuple()


SentimentGRUForSequenceClassification.register_for_auto_class("AutoModelForSequenceClassification")
AutoConfig.register("sentiment_gru", SentimentGRUConfig, exist_ok=True)
AutoModelForSequenceClassification.register(SentimentGRUConfig, SentimentGRUForSequenceClassification, exist_ok=True)
