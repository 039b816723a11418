"""The undocumented parts of Gradio that the app uses: each test fails if an upgrade changes one of them."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import gradio as gr
import httpx
import pytest
import uvicorn
from gradio import http_server, networking, processing_utils, routes
from gradio.queueing import Queue
from gradio.routes import App
from gradio.state_holder import StateHolder
from starlette.testclient import TestClient

from benchmarks.gradio_http import Page, file_data
from sentiment_gru.web import gradio_compat
from sentiment_gru.web.gradio_compat import (
    GuardedBlocks,
    SharedQueueBlocks,
    build_when_opened,
    current_page,
    find_katex,
    launch,
    load_when_opened,
    preload_links,
)


def test_a_file_on_another_host_is_refused_before_gradio_fetches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []

    async def fetch(url: str, **_: Any) -> str:
        fetched.append(url)
        raise AssertionError("fetched")

    monkeypatch.setattr(processing_utils, "async_ssrf_protected_download", fetch)
    url = "http://203.0.113.1/large.csv"

    def send(kind: type[gr.Blocks], data: Any) -> tuple[int, str]:
        with kind() as blocks:
            file = gr.File(elem_id="file")
            file.upload(lambda value: None, file, None, queue=False)
        page = Page(TestClient(App.create_app(blocks), raise_server_exceptions=False))
        return page.send(page.event("file", "upload"), [data])

    for data in (file_data(url), file_data(url.upper()), [file_data(url)], file_data("https:" + url[5:])):
        status, answer = send(GuardedBlocks, data)
        assert (status, gradio_compat.NOT_UPLOADED in answer) == (500, True)
    assert fetched == []
    send(gr.Blocks, file_data(url))
    assert fetched == [url]  # what Gradio itself does


Push = Callable[[str, int], Awaitable[str]]


def shared_queue(share: int, share_of_function: int) -> tuple[Any, Push]:
    """Return the queue of a page with two functions, and a function that adds an event of a client to it."""
    with SharedQueueBlocks() as blocks:
        for _ in range(2):
            gr.Button().click(lambda: None, concurrency_id="both")
    blocks.queue(max_size=10)
    App.create_app(blocks)
    blocks.share_queue(share, share_of_function, lambda scope: scope["client"])

    async def push(client: str, function: int) -> str:
        request: Any = SimpleNamespace(scope={"client": client})
        body: Any = SimpleNamespace(
            fn_index=function, session_hash=f"of {client}", request=None, batched=False, data=[], trigger_id=None
        )
        return (await blocks._queue.push(body, request, None))[2]

    return blocks._queue, push


def test_one_address_gets_a_share_of_the_queue() -> None:
    async def scenario() -> list[str]:
        _, push = shared_queue(2, 2)
        return [await push(client, number % 2) for number, client in enumerate("aaab")]

    assert asyncio.run(scenario()) == ["success", "success", "queue_full", "success"]


def test_one_address_gets_a_share_of_the_queue_for_each_function() -> None:
    async def scenario() -> list[str]:
        _, push = shared_queue(8, 2)
        return [await push(client, function) for client, function in (("a", 0), ("a", 0), ("a", 0), ("a", 1), ("b", 0))]

    assert asyncio.run(scenario()) == ["success", "success", "queue_full", "success", "success"]


def test_addresses_take_turns() -> None:
    async def scenario() -> str:
        queue, push = shared_queue(9, 9)
        for client in "aaaabbc":
            await push(client, 0)
        order = ""
        while events := queue.get_events():
            order += events[0][0].request.scope["client"]
        return order

    assert asyncio.run(scenario()) == "abcabaa"


@pytest.mark.parametrize(("pause", "order"), [(0.0, "bbbaa"), (20 * gradio_compat.HALF_LIFE, "ababb")])
def test_an_address_whose_event_took_long_waits_for_the_others(
    monkeypatch: pytest.MonkeyPatch, pause: float, order: str
) -> None:
    now = [1_000.0]
    monkeypatch.setattr(gradio_compat, "time", SimpleNamespace(monotonic=lambda: now[0]))

    async def work(self: Any, events: list[Any]) -> None:
        now[0] += 10  # seconds

    monkeypatch.setattr(Queue, "process_events", work)

    async def scenario() -> str:
        queue, push = shared_queue(9, 9)
        await push("a", 0)
        await queue.process_events(queue.get_events()[0])
        now[0] += pause
        for client in "aabbb":
            await push(client, 0)
        found = ""
        while events := queue.get_events():
            found += events[0][0].request.scope["client"]
        return found

    assert asyncio.run(scenario()) == order


def test_messages_that_nobody_reads_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradio_compat, "UNREAD_SECONDS", 0.0)

    async def scenario() -> list[set[str]]:
        queue, push = shared_queue(9, 9)
        kept = []
        for client in "ab":
            await push(client, 0)
            kept.append(set(queue.pending_messages_per_session))
        while queue.get_events():
            pass
        await push("c", 0)
        return [*kept, set(queue.pending_messages_per_session), set(queue.pending_event_ids_session)]

    # Those of events that wait stay; all that have run are gone.
    assert asyncio.run(scenario()) == [{"of a"}, {"of a", "of b"}, {"of c"}, {"of c"}]


def test_the_surrounding_page_is_known() -> None:
    with gr.Blocks() as page, gr.Tab("tab"):
        assert current_page() is page


def test_a_tab_is_built_when_opened_by_events_that_are_private() -> None:
    with gr.Blocks() as page, gr.Tab("tab") as tab:
        build_when_opened(tab, lambda: None)
    assert any(event.renderable for event in page.fns.values())
    assert {event.api_visibility for event in page.fns.values()} == {"private"}


def test_components_in_closed_places_are_invisible_until_these_are_opened() -> None:
    with gr.Blocks() as page:
        with gr.Tabs():
            with gr.Tab("open"):
                gr.Textbox()
                with gr.Accordion("closed", open=False) as accordion:
                    card = gr.Markdown()
                    gr.JSON(visible=False)
            with gr.Tab("closed") as tab, gr.Accordion("open"):
                kept, choice, letter, shown = gr.Textbox(), gr.Radio(), gr.Radio(), gr.Number()
                choice.change(None, [choice], [shown], js="() => 1")
        load_when_opened(page)
    assert [part.visible for part in (kept, card, choice, letter, shown)] == [True, False, False, False, False]
    # The browser decides for those of other events; what only `load_when_opened` changes is for the visitor.
    assert [part.interactive for part in (kept, choice, letter, shown)] == [None, None, True, None]
    update = '{"__type__": "update", "visible": true}'
    assert [(event.targets, event.outputs, event.js) for event in page.fns.values()] == [
        ([(choice._id, "change")], [shown], "() => 1"),
        ([(accordion._id, "expand")], [card], f"() => ({update})"),
        ([(tab._id, "select")], [choice, letter, shown], f"() => ([{update}, {update}, {update}])"),
    ]


def test_a_page_announces_the_scripts_and_styles_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """tests/browser/test_pages.py compares them with those that a browser requests."""
    monkeypatch.setattr(routes.templates.env, "loader", routes.templates.env.loader)
    with gr.Blocks() as blocks:
        gr.Textbox()
        gr.Markdown(visible=False)
    blocks.theme = gr.themes.Base()  # as `launch` does, before it makes the configuration
    blocks.config = blocks.get_config_file()
    gradio_compat._add_preload_links(blocks)
    client = TestClient(App.create_app(blocks))
    page = client.get("/").text
    links = preload_links(["textbox"])
    assert links in page.split("</head>")[0]
    assert len(links) < len(preload_links(["textbox", "markdown"]))
    addresses = re.findall(r'href="\./([^"]+)"', links)
    assert len(addresses) > 20
    assert {client.get(f"/{address}").status_code for address in addresses} == {200}


def test_plot_data_holds_json_and_local_fonts_request_no_host() -> None:
    assert gr.Plot().postprocess(None) is None
    data = gradio_compat.PlotData(type="plotly", plot='{"data": []}')
    assert data.model_dump()["plot"] == '{"data": []}'
    stylesheet = gradio_compat.LocalFont("IBM Plex Sans", weights=(400,)).stylesheet()
    assert stylesheet["url"] is None
    assert "http" not in stylesheet["css"]


@pytest.mark.parametrize("failure", [None, httpx.RemoteProtocolError("Server disconnected")])
def test_an_app_that_gradio_cannot_request_is_served_with_settings_of_uvicorn(
    failure: Exception | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def request_page(url: str) -> bool:
        if failure:
            raise failure
        return False

    monkeypatch.setattr(networking, "url_ok", request_page)
    with gr.Blocks() as page:
        gr.Textbox()
    launch(page, {"timeout_keep_alive": 7}, prevent_thread_lock=True, quiet=True)
    try:
        assert httpx.get(page.local_url).status_code == 200
        assert "Gradio could not request it" in caplog.text
        assert page.server.config.timeout_keep_alive == 7
        assert http_server.uvicorn is uvicorn
        assert isinstance(page.server_app.state_holder, gradio_compat.SlimStateHolder)
    finally:
        page.close()


@pytest.mark.parametrize(("kind", "kept"), [(StateHolder, True), (gradio_compat.SlimStateHolder, False)])
def test_a_session_keeps_states_but_no_configuration(kind: type[StateHolder], kept: bool) -> None:
    with gr.Blocks() as page:
        box, state = gr.Textbox(), gr.State(["x"])
    holder = kind()
    holder.set_blocks(page)
    session = holder["visitor"]
    session._update_value_in_config(box._id, "a long text")
    session._update_config(box._id)
    session[state._id] = ["y"]
    assert holder["visitor"] is session
    assert session[state._id] == ["y"]
    assert any(one["id"] == box._id for one in session.components) is kept


def test_an_app_that_cannot_be_reached_at_all_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise httpx.ReadError("gone")

    monkeypatch.setattr(gr.Blocks, "launch", fail)
    with pytest.raises(OSError, match="gone"):
        launch(gr.Blocks())


def test_the_module_that_draws_formulas_is_served_and_exports_katex() -> None:
    with gr.Blocks() as blocks:
        gr.Markdown("$x$")
    address = find_katex()
    answer = TestClient(App.create_app(blocks)).get(f"/{address}")
    assert answer.status_code == 200
    assert answer.text.rstrip().endswith("as default};")
    assert "KaTeX parse error" in answer.text
    assert "render:" in answer.text
