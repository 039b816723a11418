"""Launch the app although Gradio cannot always reach it at once."""

import logging
from typing import Any

import gradio as gr
import httpx

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
