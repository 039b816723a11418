"""The middleware around the app: headers, closed routes, assets, and reports of failures."""

import asyncio
import json
import logging
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from sentiment_gru.web.middleware import (
    CLOSED,
    CONTENT_SECURITY_POLICY,
    HEADERS,
    IMMUTABLE,
    AssetCache,
    PageCache,
    protection,
    refuse_invalid,
)
from sentiment_gru.web.settings import Settings

SECRET = "my private words in /srv/app"


async def answer(request: Request) -> Response:
    return PlainTextResponse("content")


async def fail(request: Request) -> Response:
    raise ValueError(SECRET)


async def own_headers(request: Request) -> Response:
    return PlainTextResponse("", headers={"Content-Security-Policy": "default-src 'none'"})


async def refuse_late(request: Request) -> Response:
    """Raise a client error in a stream that has begun, as Gradio does for an unknown session."""

    async def stream() -> Any:
        raise HTTPException(404)
        yield ""

    return StreamingResponse(stream())


@pytest.fixture
def client() -> TestClient:
    """Return a client of a small app behind the whole protection."""
    routes = [
        Route("/fail", fail),
        Route("/own", own_headers),
        Route("/late", refuse_late),
        Route("/{path:path}", answer),
    ]
    app = Starlette(routes=routes, middleware=protection(50, Settings()))
    return TestClient(app, raise_server_exceptions=False)


# Headers, closed routes, failures


def test_every_answer_has_the_headers_and_a_stricter_policy_stays(client: TestClient) -> None:
    responses = [client.get("/"), client.get("/fail"), client.post("/nowhere"), client.get(CLOSED[0])]
    responses.append(client.post("/", headers={"Content-Length": "-1"}))
    for response in responses:
        assert {name: response.headers[name] for name in HEADERS} == HEADERS
    own = client.get("/own").headers
    assert own.get_list("content-security-policy") == ["default-src 'none'"]
    assert own["x-content-type-options"] == "nosniff"


def test_the_content_policy_allows_frames_of_spaces_and_nothing_foreign_else() -> None:
    directives = [directive.split() for directive in CONTENT_SECURITY_POLICY.split(";")]
    assert {name: sources for name, *sources in directives} == {
        "frame-ancestors": ["'self'", "https://huggingface.co", "https://*.hf.space"],
        "base-uri": ["'self'"],
        "object-src": ["'none'"],
        "form-action": ["'self'"],
    }


@pytest.mark.parametrize("route", CLOSED)
def test_a_route_that_nothing_needs_is_closed(client: TestClient, route: str) -> None:
    for path in (route, f"{route}/x", route.upper(), f"/.{route}", f"/mounted{route}"):
        assert client.get(path).status_code == 404, path


@pytest.mark.parametrize("route", ["/gradio_api/file=", "/file=", "/gradio_api/file/", "/gradio_api/FILE="])
@pytest.mark.parametrize("url", ["http://host/x", "HTTPS://host/x", "https:/host/x", "%68ttp://host/x", " http://host"])
def test_no_form_of_the_file_route_takes_a_url(client: TestClient, route: str, url: str) -> None:
    assert client.get(f"{route}{url}").status_code == 404
    assert client.get("/gradio_api/file=/tmp/http://file.csv").status_code == 200


def test_a_failure_is_answered_by_id_and_logged_without_its_message(
    client: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.WARNING):
        response = client.get("/fail")
    assert response.status_code == 500
    assert "Kind: ValueError" in json.loads(response.text)["error"]
    assert response.json()["error"].split("\n")[0].removeprefix("Error id: ") in caplog.text
    assert "raise ValueError(SECRET)" in caplog.text  # the line, not the value
    assert SECRET not in response.text + caplog.text
    monkeypatch.setenv("LOG_MESSAGES", "1")
    client.get("/fail")
    assert SECRET in caplog.text


def test_a_client_error_in_a_stream_is_one_line_of_the_log(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert client.get("/late").text == ""
    assert len(caplog.text.splitlines()) == 1
    assert "Traceback" not in caplog.text


def test_an_invalid_body_is_not_repeated() -> None:
    app = FastAPI(exception_handlers={RequestValidationError: refuse_invalid})

    @app.post("/")
    def take(body: dict[str, int]) -> None: ...

    response = TestClient(app).post("/", json={"number": SECRET})
    assert response.status_code == 422
    assert SECRET not in response.text
    assert len(response.content) < 500


# Assets


def test_an_asset_is_made_once_for_each_encoding_and_browsers_may_keep_it() -> None:
    made: list[str] = []

    async def make(request: Request) -> Response:
        made.append(request.url.path)
        status = 404 if "missing" in request.url.path else 200
        return PlainTextResponse("x" * 5_000, status, {"Cache-Control": "no-cache"})

    class Outer:
        """Change the messages, as Gradio's own middleware does."""

        def __init__(self, app: Any) -> None:
            self._app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def add(message: Any) -> None:
                passed = {**message, "headers": [*message.get("headers", []), (b"x-outer", b"1")]}
                message.get("headers", []).clear()
                message["body"] = b"changed"
                await send(passed)

            await self._app(scope, receive, add)

    middleware = [Middleware(Outer), Middleware(AssetCache)]
    client = TestClient(Starlette(routes=[Route("/{path:path}", make)], middleware=middleware))

    def get(path: str, accepted: str = "gzip", **headers: str) -> Any:
        return client.get(path, headers={"Accept-Encoding": accepted, **headers})

    packed = [get("/assets/a.js", accepted) for accepted in ("gzip, deflate, br", "gzip", "br, gzip")]
    plain = [get("/assets/a.js", accepted) for accepted in ("identity", "br")]
    assert made == ["/assets/a.js"] * 2
    assert {response.text for response in packed + plain} == {"x" * 5_000}
    assert [response.headers.get("content-encoding") for response in packed + plain] == ["gzip"] * 3 + [None] * 2
    for response in packed + plain:
        assert response.headers.get_list("cache-control") == [IMMUTABLE[1].decode()]
        assert response.headers.get_list("x-outer") == ["1"]
    for path, headers in (
        ("/assets/missing.js", {}),
        ("/assets/a.js?v=1", {}),
        ("/assets/a.js", {"Range": "bytes=0-1"}),
        ("/assets/a.js", {"If-None-Match": "x"}),
        ("/config", {}),
    ):
        before = len(made)
        responses = [get(path, **headers) for _ in range(2)]
        assert len(made) == before + 2
        assert "immutable" not in responses[1].headers["cache-control"]


def test_no_more_assets_are_kept_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment_gru.web.middleware.CACHE_BYTES", 25)
    routes = [Route("/{path:path}", lambda request: PlainTextResponse("x" * 10))]
    cache = AssetCache(Starlette(routes=routes))
    client = TestClient(cache)
    for name in "abcde":
        assert client.get(f"/assets/{name}").text == "x" * 10
    assert sorted(path for path, _ in cache._responses) == ["/assets/a", "/assets/b"]


def test_the_page_is_kept_for_each_address_of_the_app() -> None:
    made: list[str] = []

    async def make(request: Request) -> Response:
        made.append(request.headers["host"])
        return PlainTextResponse(f"page of {made[-1]} {'x' * 5_000}")

    client = TestClient(PageCache(Starlette(routes=[Route("/{path:path}", make)])))

    def get(host: str, path: str = "/", accepted: str = "gzip", **headers: str) -> Any:
        answer = client.get(path, headers={"Host": host, "Accept-Encoding": accepted, **headers})
        assert answer.text.startswith(f"page of {host} ")
        assert answer.headers.get("content-encoding") == (
            "gzip" if path[:2] in ("/", "/?") and accepted == "gzip" else None
        )
        return answer

    for _ in range(2):
        get("one")
        get("two")
        get("one", accepted="identity")
        get("one", **{"X-Forwarded-Proto": "https"})
        get("one", **{"X-Forwarded-Host": "three"})
        get("one", **{"X-Gradio-Server": "four"})
    assert len(made) == 6
    for path in ("/?deep_link=1", "/config"):
        before = len(made)
        get("one", path)
        get("one", path)
        assert len(made) == before + 2


def test_no_more_pages_are_kept_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment_gru.web.middleware.PAGES", 2)
    cache = PageCache(Starlette(routes=[Route("/", lambda request: PlainTextResponse("page"))]))
    for host in "abc":
        assert TestClient(cache).get("/", headers={"Host": host}).text == "page"
    assert len(cache._pages) == 2


START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}
BODY = {"type": "http.response.body", "body": b"more", "more_body": False}


@pytest.mark.parametrize(
    "cut",
    [
        [],
        [START],
        [START, BODY | {"body": b"mo"}],
        [START, BODY | {"more_body": True}],
        [START, {"type": "http.response.debug"}],
    ],
    ids=["nothing", "no body", "half", "more to come", "another message"],
)
def test_an_answer_that_was_cut_off_is_not_kept(cut: list[dict[str, Any]]) -> None:
    answers = [cut, [START, BODY]]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in answers.pop(0):
            await send(dict(message))

    async def get() -> bytes:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/assets/a.js", "headers": [], "query_string": b""}
        await cache(scope, None, send)  # type: ignore[arg-type]
        return b"".join(message.get("body", b"") for message in sent)

    cache = AssetCache(app)

    async def scenario() -> list[bytes]:
        return [await get() for _ in range(3)]

    assert asyncio.run(scenario())[1:] == [b"more", b"more"]
    assert answers == []
