"""Security headers: what Gradio can live with, and Spaces can embed."""

from typing import Any

# Neither script-src nor style-src: Gradio's gr.HTML needs eval, its head scripts need inline code.
CONTENT_SECURITY_POLICY = (
    "frame-ancestors 'self' https://huggingface.co https://*.hf.space; "
    "base-uri 'self'; object-src 'none'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class SecurityHeaders:
    """ASGI middleware that adds each header to every answer that has none of its name."""

    def __init__(self, app: Any) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, and the answer back with the headers."""

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message.get("headers", [])}
                added = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                headers = [*message.get("headers", []), *(pair for pair in added if pair[0] not in there)]
                message = message | {"headers": headers}
            await send(message)

        await self._app(scope, receive, send_with_headers)
