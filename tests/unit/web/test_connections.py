"""Bare connections: few of one peer, and none that stays without sending a request."""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn

from sentiment_gru.web.rate_limit import LimitedProtocol
from sentiment_gru.web.server import raise_descriptor_limit

GET = b"GET / HTTP/1.1\r\nHost: app\r\n\r\n"


@asynccontextmanager
async def served(app: Callable[..., Any], **limits: Any) -> AsyncIterator[int]:
    protocol = type("Protocol", (LimitedProtocol,), limits)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=protocol, lifespan="off", log_level="error"))
    running = asyncio.create_task(server.serve([listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield listening.getsockname()[1]
    server.should_exit = True
    await running


async def connect(port: int, sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect, with data that lies ready before the server accepts the connection, however busy the machine is."""
    peer = socket.create_connection(("127.0.0.1", port))
    peer.sendall(sent)
    return await asyncio.open_connection(sock=peer)


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def answer_late(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(0.3)
    await answer(scope, receive, send)


@pytest.mark.parametrize("sent", [b"", b"GET / HT", GET + b"GET"], ids=["nothing", "half a header", "half of two"])
def test_a_connection_without_a_whole_header_is_closed(sent: bytes) -> None:
    async def scenario() -> bytes:
        async with served(answer, header_seconds=0.05) as port:
            reader, writer = await connect(port, sent)
            content = await reader.read()  # until the server closes
            writer.close()
            return content

    content = asyncio.run(scenario())
    assert content.endswith(b"ok") if sent.startswith(GET) else content == b""


def test_a_request_in_progress_is_not_closed() -> None:
    async def scenario() -> bytes:
        async with served(answer_late, header_seconds=0.05) as port:
            reader, writer = await connect(port, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            content = await reader.read()
            writer.close()
            return content

    assert asyncio.run(scenario()).endswith(b"ok")


def test_one_peer_gets_a_limited_number_of_connections() -> None:
    async def scenario() -> list[bytes]:
        async with served(answer, max_connections=2) as port:
            connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
            refused = b""
            with suppress(ConnectionError):
                connections[2][1].write(GET)
                refused = await connections[2][0].read(12)
            for _, writer in connections:
                writer.close()
            await asyncio.sleep(0.1)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)  # the others have gone
            writer.write(GET)
            first = await reader.read(12)
            writer.close()
            return [refused, first]

    assert asyncio.run(scenario()) == [b"", b"HTTP/1.1 200"]


def test_the_limit_of_descriptors_is_raised_and_never_lowered() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
        raised = raise_descriptor_limit()
        assert raised == resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 256
        assert raise_descriptor_limit() == raised
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
