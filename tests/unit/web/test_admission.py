"""Admission of requests: addresses, rates, sizes, deadlines of bodies, and slots."""

import asyncio
import json
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

from sentiment_gru.results import MAX_CHARACTERS
from sentiment_gru.web import admission
from sentiment_gru.web.admission import (
    BODY_BYTES,
    MAX_DEPTH,
    MAX_VALUES,
    TEXT_BODY_BYTES,
    Admission,
)
from sentiment_gru.web.rate_limit import (
    BUSY,
    EVENTS,
    FREE_BYTES,
    MAX_CLIENTS,
    TEXT_MEGABYTES,
    UNKNOWN,
    UPLOADED_MEGABYTES,
    Shares,
    TokenBuckets,
    client_address,
)
from sentiment_gru.web.responses import RefusalError

EVENT, UPLOAD = "/gradio_api/run/predict", "/gradio_api/upload"
MEGABYTE = 1024 * 1024


async def count(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def swallow(request: Request) -> Response:
    """Answer in spite of an exception, as Gradio's handler of uploads does."""
    try:
        await request.body()
    except Exception:
        return PlainTextResponse("swallowed", 400)
    return PlainTextResponse("read")


def create_client(upload: Callable[..., Any] = count, **settings: Any) -> TestClient:
    """Return a client of a small app behind the real admission, whose rates are a hundredth."""
    settings = {"largest_upload": 50 * MEGABYTE, "rate_factor": 0.01} | settings
    routes = [Route(UPLOAD, upload, methods=["POST"]), Route("/{path:path}", count, methods=["GET", "POST"])]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(Admission, **settings)]))


# Buckets


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0.1, 20)), max_size=60))
def test_no_client_gets_more_than_the_burst_and_the_rate(steps: list[tuple[float, float]]) -> None:
    clock = Clock()
    buckets = TokenBuckets(10, 0.5, clock=clock)
    taken = 0.0
    for pause, cost in steps:
        clock.now += pause
        wait = buckets.take("a", cost)
        assert 0 <= wait <= 20
        taken += 0 if wait else min(cost, 10)
        assert taken <= 10 + 0.5 * clock.now + 1e-6


@given(st.floats(0.01, 9.5))
def test_after_the_returned_wait_there_is_enough(cost: float) -> None:
    clock = Clock()
    buckets = TokenBuckets(10, 0.5, clock=clock)
    assert buckets.take("a", 10) == 0
    clock.now += buckets.take("a", cost) + 1e-6
    assert buckets.take("a", cost) == 0
    assert buckets.take("b", 10) == 0


def test_the_number_of_clients_is_bounded_and_the_busiest_are_not_forgotten() -> None:
    buckets = TokenBuckets(1, 1e-9, max_clients=100)
    for number in range(1000):
        buckets.take(f"client {number}")
        buckets.take("flood")
    assert len(buckets) == 100
    assert buckets.take("flood") > 0


# Addresses


def scope(client: str | None = "192.0.2.1", *forwarded: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return {"client": (client, 5) if client else None, "headers": headers}


def test_without_a_proxy_nobody_chooses_an_address() -> None:
    assert client_address(scope("192.0.2.1", "203.0.113.9"), behind_proxy=False) == "192.0.2.1"


def test_behind_a_proxy_the_address_is_the_one_that_it_saw() -> None:
    for forwarded in (["203.0.113.9, 198.51.100.7"], ["203.0.113.9", "198.51.100.7"]):
        assert client_address(scope("10.0.0.1", *forwarded), behind_proxy=True) == "198.51.100.7"
    assert client_address(scope("10.0.0.1", "198.51.100.7,"), behind_proxy=True) == UNKNOWN
    assert client_address(scope("10.0.0.1"), behind_proxy=True) == "10.0.0.1"


def test_a_household_of_ipv6_is_one_client() -> None:
    same, other, mapped = (
        [client_address(scope(address), False) for address in pair]
        for pair in (
            ("2001:db8:1:2:3::4", "2001:db8:1:2:ffff::1"),
            ("2001:db8:1:2::1", "2001:db8:1:3::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        )
    )
    assert same[0] == same[1]
    assert other[0] != other[1]
    assert mapped[0] == mapped[1]


@given(st.text(max_size=80), st.lists(st.text(st.characters(codec="utf-8"), max_size=40), max_size=3))
def test_any_address_and_header_gives_a_short_name(client: str, forwarded: list[str]) -> None:
    assert len(client_address(scope(client, *forwarded), behind_proxy=True)) < 50


# Rates


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no time pass for the rates: on a busy machine, requests are so slow that no rate is exceeded."""
    monkeypatch.setattr(TokenBuckets.__init__, "__defaults__", (MAX_CLIENTS, Clock()))


@pytest.mark.usefixtures("stopped_clock")
def test_too_many_events_are_refused_with_a_time_to_wait() -> None:
    client = create_client()
    statuses = [client.post(EVENT, content=b"{}").status_code for _ in range(int(EVENTS[0] / 100) + 1)]
    assert set(statuses[:-1]) == {200}
    refused = client.post(EVENT, content=b"{}")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 3
    assert refused.json()["error"] == refused.json()["detail"]
    assert client.get("/").status_code == 200  # pages are counted apart


@pytest.mark.usefixtures("stopped_clock")
def test_another_client_is_not_refused() -> None:
    client = create_client(behind_proxy=True)

    def send(last: str, invented: int) -> int:
        headers = {"X-Forwarded-For": f"203.0.113.{invented}, {last}"}
        return client.post(EVENT, content=b"{}", headers=headers).status_code

    assert [send("198.51.100.7", number) for number in range(10)].count(429) >= 1
    assert send("198.51.100.8", 0) == 200


def test_uploads_are_counted_in_megabytes() -> None:
    client = create_client()
    assert UPLOADED_MEGABYTES[0] / 100 == 20
    assert client.post(UPLOAD, content=bytes(15_000_000)).status_code == 200
    assert client.post(UPLOAD, content=bytes(9_000_000)).status_code == 429
    assert client.post(UPLOAD, content=bytes(1_000_000)).status_code == 200
    unknown_size = client.post(UPLOAD, content=iter([b"x"]))  # costs as much as the largest
    assert unknown_size.status_code == 429


def test_long_texts_cost_more_than_short_ones() -> None:
    client = create_client(rate_factor=0.1)  # 80 events, and 0.4 MB of long texts
    size = 100_000
    count_of_texts = int(TEXT_MEGABYTES[0] * 0.1 * 1_000_000 / size)
    statuses = [client.post(EVENT, content=bytes(size)).status_code for _ in range(count_of_texts + 1)]
    assert statuses == [200] * count_of_texts + [429]
    assert client.post(EVENT, content=bytes(FREE_BYTES)).status_code == 200


def test_a_rate_factor_of_0_switches_rates_off_and_nothing_else() -> None:
    client = create_client(rate_factor=0)
    assert {client.post(EVENT, content=bytes(200_000)).status_code for _ in range(50)} == {200}
    assert client.post(EVENT, content=bytes(TEXT_BODY_BYTES + 1)).status_code == 413


# Sizes and deadlines


def in_chunks(size: int) -> Iterator[bytes]:
    for _ in range(size // 100_000):
        yield bytes(100_000)


@pytest.mark.parametrize("send", [bytes, in_chunks], ids=["with length", "in chunks"])
def test_a_body_that_is_too_large_is_refused(send: Callable[[int], Any]) -> None:
    client = create_client(rate_factor=0)
    assert client.post(EVENT, content=send(2_400_000)).text == str(2_400_000)
    refused = client.post(EVENT, content=send(TEXT_BODY_BYTES + 100_000))
    assert refused.status_code == 413
    assert refused.headers["connection"] == "close"


@pytest.mark.parametrize("path", ["/gradio_api/cancel", "/gradio_api/reset/", "/teacher", "/none"])
def test_the_body_of_a_request_without_a_text_is_small(path: str) -> None:
    client = create_client()
    assert client.post(path, content=bytes(BODY_BYTES)).status_code == 200
    assert client.post(path, content=bytes(BODY_BYTES + 1)).status_code == 413


def test_a_bank_of_a_teacher_is_accepted_whatever_it_holds() -> None:
    client = create_client(rate_factor=0)
    bank = b'{"items": [' + b"[]," * 300_000 + b"[NaN]]}"
    for name in ("", "/edit", "/upload"):
        assert client.post(f"/teacher/questions{name}", content=bank).status_code == 200
    assert client.post("/teacher/questions", content=bytes(TEXT_BODY_BYTES + 1)).status_code == 413
    assert client.post("/gradio_api/run/teacher/questions", content=bank).status_code == 413
    assert client.post("/teacher/questions/other", content=bank).status_code == 413


@pytest.mark.parametrize(
    "path", ["run/predict", "api/predict", "call/classify", "call/v2/classify", "queue/join", "mcp/"]
)
@pytest.mark.parametrize("character", ["a", "é", "😀", "\0", '"', "\\", "["])
def test_the_longest_text_is_accepted_however_it_is_escaped(path: str, character: str) -> None:
    client = create_client(rate_factor=1)
    for ascii_only in (True, False):
        body = json.dumps({"data": [character * MAX_CHARACTERS], "session_hash": "x"}, ensure_ascii=ascii_only)
        assert client.post(f"/gradio_api/{path}", content=body.encode()).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        "[" + "[]," * MAX_VALUES + "1]",
        "[" + "1," * MAX_VALUES + "1]",
        "[" + '"",' * MAX_VALUES + "1]",
        json.dumps(dict.fromkeys(map(str, range(MAX_VALUES + 1)))),
        '"' * 5 * MAX_VALUES,
        "[" * (MAX_DEPTH + 1),
        '{"a":' * (MAX_DEPTH + 1),
        r'"\\"' + "[" * (MAX_DEPTH + 1),
    ],
    ids=["lists", "numbers", "strings", "keys", "quotes", "depth of lists", "depth of objects", "after a backslash"],
)
def test_json_with_too_many_values_or_levels_is_refused_unparsed(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "json", None)  # not json.loads, which other threads use
    assert create_client().post(EVENT, content=body).status_code == 413


@pytest.mark.parametrize("body", ["[" * MAX_DEPTH, '["' + "[{," * MAX_VALUES + '"]', r'["\"' + "[" * 99 + '"]'])
def test_json_below_these_limits_is_passed_on(body: str) -> None:
    assert create_client().post(EVENT, content=body).status_code == 200


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)), st.booleans())
def test_marks_in_strings_are_not_counted(value: Any, ascii_only: bool) -> None:
    def count_marks(value: Any) -> int:
        if isinstance(value, str):
            return 0
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(0, len(value) - 1) + sum(map(count_marks, inner))

    body = json.dumps(value, ensure_ascii=ascii_only).encode()
    marks = admission._STRING.sub(b"", body)
    assert sum(map(marks.count, (b"[", b"{", b","))) == count_marks(value)
    assert b'"' not in marks


@given(st.text('"\\[a', max_size=60))
def test_any_quotation_marks_and_backslashes_are_matched_to_the_end(text: str) -> None:
    """An unclosed string extends to the end, so that no second search begins inside of it."""
    assert b'"' not in admission._STRING.sub(b"", text.encode())


@pytest.mark.parametrize("send", [bytes, in_chunks], ids=["with length", "in chunks"])
@pytest.mark.parametrize("handler", [count, swallow])
def test_an_upload_may_be_as_large_as_the_files_tab_allows(
    handler: Callable[..., Any], send: Callable[[int], Any]
) -> None:
    client = create_client(handler, largest_upload=MEGABYTE, rate_factor=0)
    assert client.post(UPLOAD, content=send(1_000_000)).status_code == 200
    assert client.post(UPLOAD, content=send(2_200_000)).status_code == 413


def test_an_upload_without_room_is_refused() -> None:
    client = create_client(make_room=lambda: False)
    assert client.post(UPLOAD, content=b"x").status_code == 503
    assert client.post(EVENT, content=b"{}").status_code == 200


@pytest.mark.parametrize("length", ["-1", "ten", "9" * 400, "²"])
def test_an_invalid_length_is_refused(length: str) -> None:
    answer = create_client().post(EVENT, content=b"{}", headers={"Content-Length": length.encode()})
    assert answer.status_code in (400, 413)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1E+400"])
def test_a_number_that_is_not_finite_is_refused(number: str) -> None:
    client = create_client()
    assert client.post(EVENT, content=f'{{"data": [1, {number}]}}').status_code == 400
    assert client.post(EVENT, content=f'{{"data": ["{number} in a text"]}}').status_code == 200
    assert client.post(EVENT, content=f"not JSON: {number}").status_code == 200  # for Gradio to refuse


# Requests by hand, over ASGI


Call = Callable[..., Any]


async def send_requests(guarded: Admission, *requests: dict[str, Any]) -> list[int]:
    """Send requests at once; return the statuses in the order of the answers."""
    statuses: list[int] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    def receive_from(body: asyncio.Queue[Any]) -> Call:
        return body.get

    async def request(changes: dict[str, Any]) -> None:
        body: asyncio.Queue[Any] = asyncio.Queue()
        body.put_nowait({"type": "http.request", "body": b"{", "more_body": changes.pop("half", False)})
        scope = {"type": "http", "method": "POST", "path": EVENT, "headers": [], "client": ("192.0.2.1", 5)}
        await guarded(scope | changes, receive_from(body), send)

    await asyncio.gather(*(request(dict(changes)) for changes in requests))
    return statuses


class Slow:
    """An app that answers after `until` requests have reached it, or have been refused."""

    def __init__(self, until: int) -> None:
        """Hold back answers."""
        self._until, self._reached, self._open = until, 0, asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer."""
        self._reached += 1
        if self._reached >= self._until:
            self._open.set()
        await self._open.wait()
        for _ in range(20):  # the other requests of the test arrive meanwhile
            await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


def guard(app: Any, **settings: Any) -> Admission:
    return Admission(app, largest_upload=MEGABYTE, rate_factor=0, **settings)


OTHER: dict[str, Any] = {"client": ("192.0.2.2", 5)}


def test_an_event_beyond_the_slots_is_refused_at_once_and_slots_come_back() -> None:
    async def scenario() -> list[int]:
        guarded = guard(Slow(until=2), in_flight=2, share=2)
        first = await send_requests(guarded, {}, {}, {}, OTHER)
        return first + await send_requests(guarded, {}, {})

    assert sorted(asyncio.run(scenario())) == [200] * 4 + [503] * 2


def test_one_address_gets_a_share_of_the_slots() -> None:
    async def scenario() -> list[int]:
        return await send_requests(guard(Slow(until=3), in_flight=4, share=2), {}, {}, {}, OTHER)

    assert asyncio.run(scenario()) == [503, 200, 200, 200]


def test_half_sent_requests_hold_no_slot_and_end_in_time() -> None:
    async def scenario() -> list[int]:
        guarded = guard(Slow(until=1), in_flight=1, share=1, body_seconds=0.5)  # the other one is answered in time
        return await send_requests(guarded, *[{"half": True}] * 20, OTHER)

    assert asyncio.run(scenario()) == [200] + [408] * 20


def test_half_sent_uploads_end_in_time() -> None:
    async def read(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass

    async def scenario() -> list[int]:
        return await send_requests(guard(read, body_seconds=0.05), {"path": UPLOAD, "half": True})

    assert asyncio.run(scenario()) == [408]


def test_pages_and_files_take_no_slot_nor_do_events_while_the_model_loads() -> None:
    async def scenario() -> list[int]:
        statuses = []
        for changes in ({"method": "GET"}, {"path": "/gradio_api/queue/join"}):
            statuses += await send_requests(guard(Slow(until=1), in_flight=0), changes)
        return statuses + await send_requests(guard(Slow(until=1), in_flight=0, slots_count=lambda: False), {})

    assert asyncio.run(scenario()) == [200] * 3


def test_an_app_that_fails_gives_its_slot_back() -> None:
    async def fail(*_: Any) -> None:
        raise OSError

    client = TestClient(guard(fail, in_flight=1, share=1), raise_server_exceptions=False)
    assert [client.post(EVENT).status_code for _ in range(3)] == [500] * 3


def test_bodies_in_memory_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "BUFFERED_BYTES", 10)
    client = TestClient(guard(Starlette(routes=[Route("/{path:path}", count, methods=["POST"])])))
    assert [client.post(EVENT, content=bytes(size)).status_code for size in (5, 6, 5)] == [200, 503, 200]


def test_requests_of_one_address_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "REQUESTS", 2)

    async def scenario() -> list[int]:
        page = {"method": "GET", "path": "/"}
        return await send_requests(guard(Slow(until=3)), page, page, page, page | OTHER)

    assert asyncio.run(scenario()) == [503, 200, 200, 200]


def test_a_refusal_has_a_message_and_a_time_to_wait() -> None:
    answer = TestClient(guard(Slow(until=1), in_flight=0)).post(EVENT)
    assert answer.json() == {"error": BUSY, "detail": BUSY}
    assert int(answer.headers["retry-after"]) > 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4)), max_size=40))
def test_shares_never_exceed_the_total_nor_the_part_of_an_address(requests: list[tuple[str, int]]) -> None:
    shares, held = Shares(10, 6), dict.fromkeys("abc", 0)
    for address, amount in requests:
        fits = sum(held.values()) + amount <= 10 and held[address] + amount <= 6
        try:
            shares.acquire(address, amount)
        except RefusalError:
            assert not fits
            shares.release(address, held[address])
            held[address] = 0
        else:
            assert fits
            held[address] += amount
