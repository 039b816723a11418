"""app.py as it is, but for a log in the file SERVED_LOG, and events that fail in sessions called "broken..."."""

import os
from typing import Any

import gradio as gr

import app

whole = gr.Blocks.call_function


async def fail_if_broken(
    self: gr.Blocks, fn: Any, inputs: list[Any], iterator: Any = None, request: Any = None, *rest: Any, **named: Any
) -> Any:
    """Fail with everything in the message that nobody else may see, or do what Gradio does."""
    if str(getattr(request, "session_hash", "")).startswith("broken"):
        raise ValueError(f"{inputs} at {__file__} with {os.environ['TEACHER_TOKEN']}")
    return await whole(self, fn, inputs, iterator, request, *rest, **named)


if __name__ == "__main__":
    log = os.open(os.environ["SERVED_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    gr.Blocks.call_function = fail_if_broken  # type: ignore[method-assign]
    app.main()
