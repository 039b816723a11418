"""Answers of the middleware: short JSON that both programs and the page can read."""

import json
from collections.abc import Mapping
from typing import Any


async def refuse(send: Any, status: int, words: str, headers: Mapping[str, str] | None = None) -> None:
    """Send words under both of the names where Gradio's page and its clients look for them."""
    body = json.dumps({"error": words, "detail": words}).encode()
    own = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Cache-Control": "no-store"}
    pairs = [(name.lower().encode(), value.encode()) for name, value in (own | dict(headers or {})).items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
