"""What stands in front of the app: limits of rate and size, headers, closed addresses, and no word of a failure."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from sentiment_gru.web.middleware import CLOSED, EVENT_BYTES, FOREVER, HEADERS, KeptAssets, protection
from sentiment_gru.web.rate_limit import EVENTS, UNKNOWN, UPLOADED_MEGABYTES, Buckets, SettingError, visitor_address

EVENT, UPLOAD = "/gradio_api/run/predict", "/gradio_api/upload"
SECRET = "my private words in /srv/app"


async def count(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def swallow(request: Request) -> Response:
    """Answer anyway, as a handler does that catches every exception."""
    try:
        await request.body()
    except Exception:
        return PlainTextResponse("swallowed", 400)
    return PlainTextResponse("read")


async def fail(request: Request) -> Response:
    raise ValueError(SECRET)


async def own_headers(request: Request) -> Response:
    return PlainTextResponse("", headers={"Content-Security-Policy": "default-src 'none'"})


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Return a client of a small app behind the real middleware, whose limits are a hundredth."""
    monkeypatch.setenv("RATE_FACTOR", "0.01")
    monkeypatch.delenv("SPACE_ID", raising=False)
    routes = [
        Route(EVENT, count, methods=["POST"]),
        Route(UPLOAD, count, methods=["POST"]),
        Route("/swallow", swallow, methods=["POST"]),
        Route("/fail", fail),
        Route("/own", own_headers),
        Route("/{path:path}", count),
    ]
    return TestClient(Starlette(routes=routes, middleware=protection(50)), raise_server_exceptions=False)


# Buckets


class Clock:
    """A time that moves when told."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0.1, 20)), max_size=60))
def test_no_visitor_ever_gets_more_than_a_bucket_and_what_flowed_in(steps: list[tuple[float, float]]) -> None:
    clock = Clock()
    buckets = Buckets(10, 0.5, clock=clock)
    got = 0.0
    for pause, cost in steps:
        clock.now += pause
        wait = buckets.take("a", cost)
        assert 0 <= wait <= 20
        got += 0 if wait else min(cost, 10)
        assert got <= 10 + 0.5 * clock.now + 1e-6


@given(st.floats(0.01, 9.5))
def test_after_the_wait_that_was_told_there_is_enough(cost: float) -> None:
    clock = Clock()
    buckets = Buckets(10, 0.5, clock=clock)
    assert buckets.take("a", 10) == 0
    clock.now += buckets.take("a", cost) + 1e-6
    assert buckets.take("a", cost) == 0
    assert buckets.take("b", 10) == 0


def test_the_memory_of_visitors_is_bounded_and_the_busiest_are_not_forgotten() -> None:
    buckets = Buckets(1, 1e-9, most=100)
    for number in range(1000):
        buckets.take(f"visitor {number}")
        buckets.take("flood")
    assert len(buckets) == 100
    assert buckets.take("flood") > 0


# Who is asking


def scope(client: str | None = "192.0.2.1", *forwarded: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return {"client": (client, 5) if client else None, "headers": headers}


def test_outside_of_spaces_nobody_names_an_address_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert visitor_address(scope("192.0.2.1", "203.0.113.9")) == "192.0.2.1"


def test_on_a_space_what_its_proxy_saw_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/studio")
    assert visitor_address(scope("10.0.0.1", "203.0.113.9, 198.51.100.7")) == "198.51.100.7"
    assert visitor_address(scope("10.0.0.1", "203.0.113.9", "198.51.100.7")) == "198.51.100.7"
    assert visitor_address(scope("10.0.0.1", "198.51.100.7,")) == UNKNOWN
    assert visitor_address(scope("10.0.0.1")) == "10.0.0.1"


def test_a_household_of_ipv6_is_one_visitor() -> None:
    assert visitor_address(scope("2001:db8:1:2:3::4")) == visitor_address(scope("2001:db8:1:2:ffff::1"))
    assert visitor_address(scope("2001:db8:1:2::1")) != visitor_address(scope("2001:db8:1:3::1"))
    assert visitor_address(scope("::ffff:192.0.2.1")) == "192.0.2.1"


@given(st.text(max_size=80), st.lists(st.text(st.characters(codec="utf-8"), max_size=40), max_size=3))
def test_any_address_and_header_gives_one_short_name(client: str, forwarded: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPACE_ID", "someone/studio")
        assert len(visitor_address(scope(client, *forwarded))) < 50


# Rates


def test_too_many_events_are_refused_with_words_and_a_time_to_wait(client: TestClient) -> None:
    statuses = [client.post(EVENT, content=b"{}").status_code for _ in range(int(EVENTS[0] / 100) + 1)]
    assert set(statuses[:-1]) == {200}
    refused = client.post(EVENT, content=b"{}")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 3
    assert refused.json()["error"] == refused.json()["detail"]
    assert "try again in" in refused.json()["error"]
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert client.get("/").status_code == 200  # pages are counted apart


def test_another_visitor_is_not_held_up(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/studio")

    def ask(last: str, spoofed: int) -> int:
        headers = {"X-Forwarded-For": f"203.0.113.{spoofed}, {last}"}
        return client.post(EVENT, content=b"{}", headers=headers).status_code

    assert [ask("198.51.100.7", number) for number in range(10)].count(429) >= 1
    assert ask("198.51.100.8", 0) == 200


def test_uploads_are_counted_in_megabytes(client: TestClient) -> None:
    assert UPLOADED_MEGABYTES[0] / 100 == 20
    assert client.post(UPLOAD, content=bytes(15_000_000)).status_code == 200
    assert client.post(UPLOAD, content=bytes(9_000_000)).status_code == 429
    assert client.post(UPLOAD, content=bytes(1_000_000)).status_code == 200
    unsaid = client.post(UPLOAD, content=iter([b"x"]))  # could be of any length
    assert unsaid.status_code == 429


def test_the_environment_switches_rates_off_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    with_rates = protection(50)
    monkeypatch.setenv("RATE_FACTOR", "0")
    assert len(protection(50)) == len(with_rates) - 1
    for wrong in ("many", "-1", "nan", "inf"):
        monkeypatch.setenv("RATE_FACTOR", wrong)
        with pytest.raises(SettingError, match="RATE_FACTOR"):
            protection(50)


# Sizes


def in_chunks(size: int) -> Iterator[bytes]:
    for _ in range(size // 100_000):
        yield bytes(100_000)


@pytest.mark.parametrize("send", [bytes, in_chunks], ids=["said", "streamed"])
def test_a_body_that_is_too_long_is_refused_however_it_comes(client: TestClient, send: Callable[[int], Any]) -> None:
    assert client.post(EVENT, content=send(EVENT_BYTES)).text == str(EVENT_BYTES)
    for path in (EVENT, "/swallow"):
        refused = client.post(path, content=send(EVENT_BYTES + 100_000))
        assert refused.status_code == 413
        assert "up to 3 MB" in refused.json()["error"]
        assert "Files" in refused.json()["detail"]


def test_an_upload_may_be_as_long_as_the_files_tab_allows(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_FACTOR", "0")
    app = Starlette(routes=[Route(UPLOAD, count, methods=["POST"])], middleware=protection(1))
    uploads = TestClient(app)
    assert uploads.post(UPLOAD, content=bytes(1024 * 1024)).status_code == 200
    for send in (bytes, in_chunks):
        assert uploads.post(UPLOAD, content=send(2_200_000)).status_code == 413


@pytest.mark.parametrize("said", ["-1", "ten", "9" * 400, "²"])
def test_a_length_that_is_no_length_is_refused(client: TestClient, said: str) -> None:
    assert client.post(EVENT, content=b"{}", headers={"Content-Length": said.encode()}).status_code in (400, 413)


# Headers, closed addresses, failures


def test_every_answer_has_the_headers_and_a_stricter_policy_stays(client: TestClient) -> None:
    answers = [client.get("/"), client.get("/fail"), client.post("/nowhere"), client.get(CLOSED[0])]
    for answer in answers:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    own = client.get("/own").headers
    assert own.get_list("content-security-policy") == ["default-src 'none'"]
    assert own["x-content-type-options"] == "nosniff"


def test_spaces_may_frame_the_page_and_others_may_not() -> None:
    ancestors = HEADERS["Content-Security-Policy"].split(";")[0].split()
    assert ancestors == ["frame-ancestors", "'self'", "https://huggingface.co", "https://*.hf.space"]


@pytest.mark.parametrize("door", CLOSED)
def test_what_nothing_needs_is_closed(client: TestClient, door: str) -> None:
    for path in (door, f"{door}/x", door.upper(), f"/.{door}", f"/mounted{door}"):
        assert client.get(path).status_code == 404, path


def test_a_failure_is_told_by_id_and_logged_without_words(
    client: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = client.get("/fail")
    assert answer.status_code == 500
    assert "Kind: ValueError" in json.loads(answer.text)["error"]
    assert answer.json()["error"].split("\n")[0].removeprefix("Error id: ") in caplog.text
    assert "raise ValueError(SECRET)" in caplog.text  # the line, not the value
    assert SECRET not in answer.text + caplog.text
    monkeypatch.setenv("LOG_MESSAGES", "1")
    client.get("/fail")
    assert SECRET in caplog.text


# Assets


def test_an_asset_is_made_once_for_each_encoding_and_browsers_may_keep_it() -> None:
    made: list[str] = []

    async def make(request: Request) -> Response:
        made.append(request.url.path)
        status = 404 if "missing" in request.url.path else 200
        return PlainTextResponse("x" * 5_000, status, {"Cache-Control": "no-cache"})

    class Outer:
        """Changes what it gets, as Gradio's own middleware does."""

        def __init__(self, app: Any) -> None:
            self._app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def add(message: Any) -> None:
                passed = {**message, "headers": [*message.get("headers", []), (b"x-outer", b"1")]}
                message.get("headers", []).clear()
                message["body"] = b"changed"
                await send(passed)

            await self._app(scope, receive, add)

    middleware = [Middleware(Outer), Middleware(KeptAssets)]
    client = TestClient(Starlette(routes=[Route("/{path:path}", make)], middleware=middleware))

    def ask(path: str, accepted: str = "gzip", **headers: str) -> Any:
        return client.get(path, headers={"Accept-Encoding": accepted, **headers})

    packed = [ask("/assets/a.js", accepted) for accepted in ("gzip, deflate, br", "gzip", "br, gzip")]
    plain = [ask("/assets/a.js", accepted) for accepted in ("identity", "br")]
    assert made == ["/assets/a.js"] * 2
    assert {answer.text for answer in packed + plain} == {"x" * 5_000}
    assert [answer.headers.get("content-encoding") for answer in packed + plain] == ["gzip"] * 3 + [None] * 2
    for answer in packed + plain:
        assert answer.headers.get_list("cache-control") == [FOREVER[1].decode()]
        assert answer.headers.get_list("x-outer") == ["1"]
    for path, headers in (
        ("/assets/missing.js", {}),
        ("/assets/a.js?v=1", {}),
        ("/assets/a.js", {"Range": "bytes=0-1"}),
        ("/assets/a.js", {"If-None-Match": "x"}),
        ("/config", {}),
    ):
        before = len(made)
        answers = [ask(path, **headers) for _ in range(2)]
        assert len(made) == before + 2
        assert "immutable" not in answers[1].headers["cache-control"]


def test_no_more_assets_are_kept_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment_gru.web.middleware.MOST_BYTES", 25)
    routes = [Route("/{path:path}", lambda request: PlainTextResponse("x" * 10))]
    app = KeptAssets(Starlette(routes=routes))
    client = TestClient(app)
    for name in "abcde":
        assert client.get(f"/assets/{name}").text == "x" * 10
    assert sorted(path for path, _ in app._kept) == ["/assets/a", "/assets/b"]
