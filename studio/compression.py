"""Send the page compressed: Gradio compresses its scripts, but not the page, which is larger than all of them."""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

LEVEL = 5


class CompressedPage:
    """Compresses the page for browsers that take it so, and nothing else: files would hold up the event loop."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.compressed = GZipMiddleware(app, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        page = scope["type"] == "http" and scope["path"] == "/"
        await (self.compressed if page else self.app)(scope, receive, send)
