"""A tab whose contents are built when it is first opened: the page comes without them."""

from collections.abc import Callable

import gradio as gr
from gradio.context import get_blocks_context


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
