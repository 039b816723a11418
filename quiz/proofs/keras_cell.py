"""Keras' GRU layer on the torch backend, behind the constructor and weights of `torch.nn.GRU`."""

import os
from typing import Any

import torch
from torch import Tensor, nn

from .expressions import NotInstalledError


def load_keras() -> Any:
    """Return the module keras on the torch backend.

    Raises:
        NotInstalledError: The package keras is missing.
    """
    os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras reads it when it is imported
    try:
        import keras
    except ImportError as error:
        raise NotInstalledError("the package keras is not installed") from error
    return keras


class KerasGRU(nn.GRU):
    """A layer that Keras computes, with the defaults of `keras.layers.GRU`, from weights in PyTorch's layout."""

    title = "keras.layers.GRU"

    def _build(self) -> Any:
        layer = load_keras().layers.GRU(self.hidden_size, return_sequences=True, return_state=True, dtype="float64")
        layer.build((None, None, self.input_size))
        return layer

    def size(self) -> int:
        """Return the number of parameters that Keras counts."""
        return int(self._build().count_params())

    def forward(self, inputs: Tensor, h_0: Tensor | None = None) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Return (T, N, H) outputs and (1, N, H) final states of (T, N, E) inputs."""
        layer = self._build()
        # Keras stacks z, r, h along columns; its two rows of biases are those of the input and of the state.
        w, u, b, c = (_zrh(weights) for weights in self.all_weights[0])
        layer.set_weights([w.T.numpy(), u.T.numpy(), torch.stack([b, c]).numpy()])
        h = inputs.new_zeros(inputs.shape[1], self.hidden_size) if h_0 is None else h_0[0]
        with torch.no_grad():
            states, final = layer(inputs.transpose(0, 1), initial_state=h)
        return states.transpose(0, 1), final[None]


def _zrh(weights: Tensor) -> Tensor:
    r, z, n = weights.detach().chunk(3)
    return torch.cat([z, r, n])
