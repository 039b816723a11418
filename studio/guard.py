"""No visitor meets a bare "Error": a handler that raises answers with a report, which the page shows in a dialog.

Gradio tells the page of an unqueued event only that it failed. `studio.js` reads the answer and opens the dialog.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import gradio as gr

from sentiment_gru.failure import failure_html, log_failure


def add_failure_dialog() -> None:
    """Add the dialog, closed, to the surrounding `gr.Blocks`."""
    close = '<form method="dialog"><button>Close</button></form>'
    html = f'<dialog id="studio-failure" aria-label="Failure">{failure_html("")}{close}</dialog>'
    gr.HTML(html, apply_default_css=False, elem_id="studio-failure-place")


def guard_handlers(app: Any) -> None:
    """Guard every handler of a `gr.Blocks`, or of what is being rendered in one, that is not guarded yet."""
    for event in app.fns.values():
        if event.fn and not inspect.iscoroutinefunction(event.fn) and not hasattr(event.fn, "is_guarded"):
            event.fn = guarded(event.fn)


def guarded(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return the handler with its exceptions logged, and replaced by one whose message is fit for the visitor.

    A `gr.Error` that the handler raises has such a message already.
    """

    @wraps(handler)
    def run(*values: Any) -> Any:
        with _reporting():
            return handler(*values)

    @wraps(handler)
    def run_steps(*values: Any) -> Iterator[Any]:
        with _reporting():
            yield from handler(*values)

    found: Callable[..., Any] = run_steps if inspect.isgeneratorfunction(handler) else run
    vars(found)["is_guarded"] = True
    return found


@contextmanager
def _reporting() -> Iterator[None]:
    try:
        yield
    except gr.Error:
        raise
    except Exception as error:
        raise gr.Error(log_failure(error).report, print_exception=False) from error
