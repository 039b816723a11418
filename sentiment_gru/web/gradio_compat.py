"""Events that cost the server less than Gradio makes them cost; what they do stays the same."""

import inspect
import logging
from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

import gradio as gr
import httpx
from gradio.blocks import Block
from gradio.context import get_blocks_context

from .error_report import failure_html, log_failure

LIGHT: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
# What comes while an answer is awaited is asked next: by default Gradio would drop it, or let the answers overtake.
LAST: dict[str, Any] = {**LIGHT, "trigger_mode": "always_last"}


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


class GuardedBlocks(gr.Blocks):
    """A page whose exceptions are logged, and replaced by one whose message is fit for the visitor.

    That is: of reading what came, of the handler, and of writing what goes back; also of tabs filled later. A
    `gr.Error` has such a message already. Gradio would print each of them, with what the visitor had sent.
    """

    async def process_api(self, *arguments: Any, **settings: Any) -> dict[str, Any]:
        """Take one step of an event; Gradio calls this for every one.

        Raises:
            gr.Error: it failed.
        """
        try:
            return await super().process_api(*arguments, **settings)
        except gr.Error as error:
            error.print_exception = False
            raise
        except Exception as error:
            raise gr.Error(log_failure(error).report, print_exception=False) from error


def add_failure_dialog() -> None:
    """Add the dialog, closed, to the surrounding `gr.Blocks`."""
    close = '<form method="dialog"><button>Close</button></form>'
    html = f'<dialog id="studio-failure" aria-label="Failure">{failure_html("")}{close}</dialog>'
    gr.HTML(html, apply_default_css=False, elem_id="studio-failure-place")


logger = logging.getLogger(__name__)


def launch(app: gr.Blocks, **settings: Any) -> None:
    """Launch an app; a server that listens goes on, even if Gradio's own look at the first page fails.

    Gradio asks for that page as soon as the server listens, waits three seconds, and raises otherwise: on a busy
    machine, or when visitors come at once, an app that works would end.

    Args:
        app: what is served.
        settings: the arguments of `gr.Blocks.launch`.

    Raises:
        OSError: it cannot listen there, or cannot be reached at all.
    """
    try:
        app.launch(**settings)
    except (ValueError, httpx.HTTPError) as error:
        if not (app.is_running and app.server_app.startup_events_triggered):
            raise OSError(f"the server does not answer: {error}") from error
        logger.warning("The page is served, but Gradio could not look at it: %s", error)


def build_when_opened(tab: gr.Tab, build: Callable[[], None]) -> None:
    """Let a tab be filled for a visitor who opens it; call this inside the tab.

    Args:
        tab: the tab.
        build: lays out components and events. They are the visitor's own.
    """
    opened = gr.State(False)
    # Queued, as Gradio tells the page only then that a state has changed.
    tab.select(lambda: True, None, opened, queue=True, show_progress="hidden", api_visibility="private")
    gr.render(inputs=[], triggers=[opened.change], queue=False, show_progress="hidden")(build)
    for event in get_blocks_context().fns.values():
        if event.renderable:
            event.api_visibility = "private"  # as all events of the page; gr.render has no argument for it
