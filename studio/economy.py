"""Events that cost the server less than Gradio makes them cost; what they do stays the same."""

import inspect
from collections.abc import Iterator
from copy import copy
from typing import Any

import gradio as gr
from gradio.blocks import Block


class EconomicalBlocks(gr.Blocks):
    """Blocks that spend nothing on outputs that an event leaves alone, or on looking at constructors again and again.

    Gradio makes each component anew for `gr.skip()`, and inspects its constructor whenever it makes one: two thirds of
    what an event of the quiz, with its 38 outputs, costs otherwise.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        """Make the page; the arguments are those of `gr.Blocks`."""
        super().__init__(*arguments, **settings)
        for kind in _kinds(Block):
            constructor: Any = inspect.unwrap(kind.__init__)
            constructor.__signature__ = inspect.signature(constructor)  # `inspect` looks there first

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """Return what goes to the browser: nothing for an output that is skipped."""
        if not isinstance(predictions, (list, tuple)) or not 2 <= len(predictions) == len(block_fn.outputs):
            return await super().postprocess_data(block_fn, predictions, state)
        told = [block.stateful or not _is_skip(one) for block, one in zip(block_fn.outputs, predictions, strict=True)]
        if sum(told) < 2:  # Gradio takes a single output for the value itself
            return await super().postprocess_data(block_fn, predictions, state)
        fewer = copy(block_fn)
        fewer.outputs = [block for block, tell in zip(block_fn.outputs, told, strict=True) if tell]
        kept = [one for one, tell in zip(predictions, told, strict=True) if tell]
        data = iter(await super().postprocess_data(fewer, kept, state))
        return [next(data) if tell else gr.skip() for tell in told]


def _is_skip(value: Any) -> bool:
    return isinstance(value, dict) and value == gr.skip()


def _kinds(kind: Any) -> Iterator[Any]:
    for one in kind.__subclasses__():
        yield one
        yield from _kinds(one)
