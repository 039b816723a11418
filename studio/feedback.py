"""How much feedback one address may send: a classroom's in a row, and no flood."""

import gradio as gr

from .buckets import Buckets
from .protection import rate_factor
from .visitors import visitor_address

IN_A_ROW = 100
PER_SECOND = 1 / 30


class FeedbackLimit:
    """Says whether an address may send feedback; sending it is an event for the limits of `rates`, too."""

    def __init__(self) -> None:
        """Take the limits, times RATE_FACTOR."""
        factor = rate_factor()
        self._buckets = Buckets(IN_A_ROW * factor, PER_SECOND * factor) if factor else None

    def __call__(self, request: gr.Request) -> bool:
        """Count one message, and return whether it may be sent."""
        return self._buckets is None or not self._buckets.take(visitor_address(request.request.scope))
