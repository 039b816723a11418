"""No visitor meets a bare "Error": a handler that raises answers with a report, which the page shows in a dialog.

Gradio tells the page of an unqueued event only that it failed. `studio.js` reads the answer and opens the dialog.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr

from sentiment_gru.failure import failure_html, log_failure


def add_failure_dialog() -> None:
    """Add the dialog, closed, to the surrounding `gr.Blocks`."""
    close = '<form method="dialog"><button>Close</button></form>'
    html = f'<dialog id="studio-failure" aria-label="Failure">{failure_html("")}{close}</dialog>'
    gr.HTML(html, apply_default_css=False, elem_id="studio-failure-place")


def guard_handlers(app: gr.Blocks) -> None:
    """Guard the handler of every event of the app."""
    for event in app.fns.values():
        if event.fn and not inspect.iscoroutinefunction(event.fn):
            event.fn = guarded(event.fn)


def guarded(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return the handler with its exceptions logged, and replaced by one whose message is fit for the visitor."""

    @wraps(handler)
    def run(*values: Any) -> Any:
        try:
            return handler(*values)
        except Exception as error:
            raise gr.Error(log_failure(error).report, print_exception=False) from error

    return run
