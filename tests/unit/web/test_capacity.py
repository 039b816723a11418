"""Too many visitors are told so at once; events cost less and do the same; sessions are bounded."""

import asyncio
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio import networking
from gradio.routes import App
from starlette.testclient import TestClient

import app
from sentiment_gru.web.gradio_compat import EconomicalBlocks, launch
from sentiment_gru.web.middleware import BUSY, Capacity
from sentiment_gru.web.model_loader import ClassifierLoader

EVENT = {"type": "http", "method": "POST", "path": "/gradio_api/run/predict"}


class Slow:
    """An app that answers when it is told to."""

    def __init__(self) -> None:
        """Hold back answers."""
        self.may_answer = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer."""
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


async def statuses(guarded: Capacity, slow: Slow, count: int, **changes: str) -> list[int]:
    """Send requests at once; return how each was answered, in the order of the answers."""
    seen: list[int] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            seen.append(message["status"])

    requests = [asyncio.create_task(guarded(EVENT | changes, None, send)) for _ in range(count)]  # type: ignore[arg-type]
    while len(seen) < count - 2 and not slow.may_answer.is_set():
        await asyncio.sleep(0)
    slow.may_answer.set()
    await asyncio.gather(*requests)
    return seen


def test_an_event_beyond_the_limit_is_refused_before_the_others_are_done() -> None:
    async def scenario() -> None:
        slow = Slow()
        guarded = Capacity(slow, limit=2)
        assert await statuses(guarded, slow, 5) == [503, 503, 503, 200, 200]
        assert await statuses(guarded, slow, 2) == [200, 200]  # there is room again

    asyncio.run(scenario())


def test_pages_and_files_are_not_counted_nor_events_while_the_model_loads() -> None:
    async def scenario() -> None:
        slow = Slow()
        slow.may_answer.set()
        for changes in ({"method": "GET"}, {"path": "/gradio_api/queue/join"}):
            assert await statuses(Capacity(slow, limit=0), slow, 3, **changes) == [200] * 3
        assert await statuses(Capacity(slow, limit=0, counts=lambda: False), slow, 3) == [200] * 3

    asyncio.run(scenario())


def test_a_refusal_says_what_to_do() -> None:
    client = TestClient(Capacity(Slow(), limit=0))
    answer = client.post(EVENT["path"])
    assert answer.status_code == 503
    assert answer.json() == {"error": BUSY, "detail": BUSY}
    assert int(answer.headers["retry-after"]) > 0


def test_a_limit_survives_an_app_that_fails() -> None:
    async def broken(*_: Any) -> None:
        raise OSError

    client = TestClient(Capacity(broken, limit=1), raise_server_exceptions=False)
    assert [client.post(EVENT["path"]).status_code for _ in range(3)] == [500] * 3


def answers(kind: type[gr.Blocks]) -> list[Any]:
    """Return what events with many, one and no outputs answer on a page of a kind."""
    with kind() as page:
        state, text, number, html = gr.State(0), gr.Textbox("before"), gr.Number(1), gr.HTML("")
        outputs = [state, text, number, html]
        results: list[Any] = [
            [1, gr.skip(), 2, "<p>b</p>"],
            [1, gr.skip(), gr.skip(), gr.skip()],
            [gr.skip()] * 4,
            [gr.skip(), gr.Textbox("t", visible=False), gr.skip(), gr.HTML(visible=False)],
            (gr.skip(), "t", None, gr.skip()),
            {text: "t"},
        ]
        for result in results:
            page.load(lambda result=result: result, None, outputs, queue=False)
        page.load(lambda: gr.skip(), None, outputs, queue=False)
        page.load(lambda: "one", None, text, queue=False)
        page.load(lambda: gr.skip(), None, text, queue=False)
        page.load(lambda: None, None, None, queue=False)
        page.load(lambda value: value, state, number, queue=False)
    client = TestClient(App.create_app(page))
    bodies = [{"fn_index": number, "session_hash": "s", "data": []} for number in range(len(page.fns))]
    bodies[-1]["data"] = [None]
    found = [client.post("/gradio_api/run/predict", json=body).json()["data"] for body in bodies]
    for one in (value for values in found for value in values if isinstance(value, dict)):
        one.pop("props", None)  # of gr.HTML, which finds the property "__type__" in what is skipped
    return found


def test_economical_blocks_answer_as_plain_ones_do() -> None:
    plain = answers(gr.Blocks)
    assert answers(EconomicalBlocks) == plain
    assert plain[0] == [None, {"__type__": "update"}, 2, "<p>b</p>"]
    assert plain[-1] == [1]


@pytest.mark.parametrize("failure", [None, httpx.RemoteProtocolError("Server disconnected")])
def test_an_app_that_gradio_cannot_look_at_is_served(
    failure: Exception | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def look(url: str) -> bool:
        if failure:
            raise failure
        return False

    monkeypatch.setattr(networking, "url_ok", look)
    with gr.Blocks() as page:
        gr.Textbox()
    launch(page, prevent_thread_lock=True, quiet=True)
    try:
        assert httpx.get(page.local_url).status_code == 200
        assert "Gradio could not look at it" in caplog.text
    finally:
        page.close()


def test_an_app_that_cannot_be_reached_at_all_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise httpx.ReadError("gone")

    monkeypatch.setattr(gr.Blocks, "launch", fail)
    with pytest.raises(OSError, match="does not answer"):
        launch(gr.Blocks())


def test_sessions_that_were_left_are_forgotten(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """The real number of sessions, 1,000, is opened by benchmarks/load.py."""
    blocks = app.build_app(ClassifierLoader(tiny_checkpoint))
    blocks.state_session_capacity = 5
    server = App.create_app(blocks)
    client = TestClient(server)
    load = next(number for number, event in blocks.fns.items() if len(event.outputs) > 20)
    for number in range(20):
        body = {"fn_index": load, "session_hash": f"visitor {number}", "data": [None, {}]}
        assert client.post("/gradio_api/run/predict", json=body).status_code == 200
    assert list(server.state_holder.session_data) == [f"visitor {number}" for number in range(15, 20)]
    assert app.launch_settings()["state_session_capacity"] <= 1000
