"""Every use of Gradio's undocumented parts, each with its reason and the place in Gradio's source.

The tests in tests/unit/web/test_gradio_compat.py fail if an upgrade of Gradio changes one of these parts. The links are
to the release that requirements.txt pins.
"""

import json
import logging
import re
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import httpx
import uvicorn
from gradio import http_server, routes
from gradio.blocks import BlockContext
from gradio.components import Component

# Reason: gr.Plot accepts figures of plotly, not the JSON of one, which needs no import of plotly in the page.
# https://github.com/gradio-app/gradio/blob/gradio%406.31.0/gradio/components/plot.py
from gradio.components.plot import PlotData as PlotData
from gradio.context import Context, get_blocks_context
from gradio.state_holder import SessionState, StateHolder

# Reason: gr.themes has GoogleFont only, which requests the font files from another host.
# https://github.com/gradio-app/gradio/blob/gradio%406.31.0/gradio/themes/utils/fonts.py
from gradio.themes.utils.fonts import LocalFont as LocalFont
from jinja2 import ChoiceLoader, DictLoader, FileSystemLoader

from .rate_limit import BUSY
from .rendering import render
from .responses import failure_html, log_failure

logger = logging.getLogger(__name__)

LIGHT: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
# An event fired while an answer is awaited runs next: by default Gradio drops it, or lets the answers overtake.
LAST: dict[str, Any] = {**LIGHT, "trigger_mode": "always_last"}
# Explanations: queued, one at a time, as one needs up to 200 MB, while verdicts pass by. "multiple": the next text must
# not wait for the last one.
HEAVY: dict[str, Any] = {
    "concurrency_limit": 1,
    "concurrency_id": "explanations",
    "trigger_mode": "multiple",
    "show_progress": "hidden",
    "api_visibility": "private",
}
_FRONTEND = Path(gr.__file__).parent / "templates" / "frontend"
UNREAD_SECONDS = 300.0
HALF_LIFE = 60.0  # seconds after which an address has half of its time in the queue forgiven
NOT_UPLOADED = (
    "A file must be uploaded; an address or a path is not accepted. Without an upload, send its rows: csv_text or rows."
)


class GuardedBlocks(gr.Blocks):
    """Blocks whose unexpected exceptions are logged, and replaced by one whose message is fit for the visitor.

    Reason: Gradio prints exceptions with the visitor's input, and downloads a file whose path is a URL before the
    handler can refuse it. `process_api` surrounds reading the inputs, the handler, and writing the outputs. Programs
    that send values by position, as over plain HTTP, would be refused once their endpoint gets one more input.
    https://github.com/gradio-app/gradio/blob/gradio%406.31.0/gradio/blocks.py (`Blocks.process_api`)
    """

    async def process_api(self, block_fn: Any, inputs: Any, *arguments: Any, **settings: Any) -> dict[str, Any]:
        """Process one step of an event.

        Raises:
            gr.Error: The event failed, or refers to a file on another host.
        """
        if _has_remote_file(inputs):
            raise gr.Error(NOT_UPLOADED, print_exception=False)
        try:
            if block_fn.api_visibility == "public":
                inputs = [*inputs, *(component.value for component in block_fn.inputs[len(inputs) :])]
            return await super().process_api(block_fn, inputs, *arguments, **settings)
        except gr.Error as error:
            error.print_exception = False
            raise
        except Exception as error:
            raise gr.Error(log_failure(error).report, print_exception=False) from error


def _has_remote_file(value: Any) -> bool:
    """Return whether a JSON value contains file data whose path is not local."""
    values = [value]
    while values:
        value = values.pop()
        if isinstance(value, dict):
            path = value.get("path")
            if "meta" in value and isinstance(path, str) and ":" in path.split("/", 1)[0]:
                return True
            values.extend(value.values())
        elif isinstance(value, (list, tuple)):
            values.extend(value)
    return False


class SharedQueueBlocks(gr.Blocks):
    """Blocks whose queue gives each client address a share of its places and of its turns.

    Reasons: `max_size` bounds all events together, so that one client can fill the queue for everybody; Gradio answers
    503 to "queue_full". It runs events in the order in which they came, whatever each address has taken. And it keeps
    the messages of a session until they are read, or until 2,000 others have come.
    https://github.com/gradio-app/gradio/blob/gradio%406.31.0/gradio/queueing.py (`Queue.push`, `Queue.get_events`,
    `Queue.process_events`)
    """

    def share_queue(self, share: int, share_of_function: int, address_of: Callable[[Any], str]) -> None:
        """Limit the waiting events of one address, and let addresses take turns; call this after `queue`.

        Args:
            share: Number of events that one address may have waiting.
            share_of_function: Number of events of one function that one address may have waiting.
            address_of: Returns the address of a request's ASGI scope.
        """
        queue = self._queue
        push, get_events, process_events = queue.push, queue.get_events, queue.process_events
        times = ProcessingTimes()
        sessions: OrderedDict[str, float] = OrderedDict()  # when each sent its last event, in this order

        async def push_within_share(body: Any, request: Any, username: Any) -> Any:
            address = address_of(request.scope)
            waiting = [event for line in queue.event_queue_per_concurrency_id.values() for event in line.queue]
            own = [event for event in waiting if address_of(event.request.scope) == address]
            if len(own) >= share or sum(event.fn._id == body.fn_index for event in own) >= share_of_function:
                return False, BUSY, "queue_full"
            result = await push(body, request, username)
            if result[0]:
                sessions[body.session_hash] = time.monotonic()
                sessions.move_to_end(body.session_hash)
                _forget_unread(queue, sessions)
            return result

        def get_events_in_turn() -> Any:
            for line in queue.event_queue_per_concurrency_id.values():
                times.sort(line.queue, address_of)
            return get_events()

        async def process_and_time(events: list[Any], *arguments: Any) -> None:
            started = time.monotonic()
            try:
                await process_events(events, *arguments)
            finally:
                times.add(address_of(events[0].request.scope), time.monotonic() - started)

        queue.push, queue.get_events, queue.process_events = push_within_share, get_events_in_turn, process_and_time


class SlimSessionState(SessionState):
    """The state of a visitor, without the configuration of every component.

    Reason: Gradio keeps that for each visitor, with the last value of every component, for `gr.DeepLinkButton`, which
    the page does not have. It is most of the memory of a session.
    https://github.com/gradio-app/gradio/blob/gradio%406.31.0/gradio/state_holder.py (`SessionState`)
    """

    def __init__(self, blocks: gr.Blocks) -> None:
        super().__init__(blocks)
        self.config_values: dict[int, Any] = {}

    def _update_config(self, key: int) -> None:
        pass

    def _update_value_in_config(self, key: int, value: Any) -> None:
        pass


class SlimStateHolder(StateHolder):
    """The states of all visitors, without what `SlimSessionState` leaves out."""

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = SlimSessionState(self.blocks)
        return super().__getitem__(session_id)


class ProcessingTimes:
    """The seconds that the events of each address took; they count less as they become older."""

    def __init__(self) -> None:
        self._times: dict[str, tuple[float, float]] = {}  # seconds, and when they were counted

    def get(self, address: str) -> float:
        """Return the seconds of an address, halved for each `HALF_LIFE` since they were counted."""
        seconds, counted = self._times.get(address, (0.0, 0.0))
        return seconds * 0.5 ** ((time.monotonic() - counted) / HALF_LIFE) if seconds else 0.0

    def add(self, address: str, seconds: float) -> None:
        """Count the seconds of an event, and forget addresses whose seconds have become few."""
        self._times[address] = (self.get(address) + seconds, time.monotonic())
        self._times = {other: counted for other, counted in self._times.items() if self.get(other) > 0.001}

    def sort(self, events: list[Any], address_of: Callable[[Any], str]) -> None:
        """Sort waiting events in place: the addresses with the fewest seconds go first, and equal ones take turns."""
        turns: Counter[str] = Counter()
        keyed = []
        for event in events:
            address = address_of(event.request.scope)
            keyed.append((round(self.get(address), 1) + turns[address], event))
            turns[address] += 1
        events[:] = [event for _, event in sorted(keyed, key=lambda pair: pair[0])]


def _forget_unread(queue: Any, sessions: OrderedDict[str, float]) -> None:
    """Drop the messages of sessions that have sent nothing for `UNREAD_SECONDS` and have no event in the queue."""
    busy = {event.session_hash for line in queue.event_queue_per_concurrency_id.values() for event in line.queue}
    busy |= {event.session_hash for events in queue.active_jobs for event in events or ()}
    now = time.monotonic()
    while sessions and next(iter(sessions.values())) < now - UNREAD_SECONDS:
        session = sessions.popitem(last=False)[0]
        if session in busy:
            sessions[session] = now
        else:
            queue.pending_messages_per_session.pop(session, None)
            queue.pending_event_ids_session.pop(session, None)


def add_failure_dialog() -> None:
    """Add the dialog of failures, closed, to the surrounding `gr.Blocks`."""
    html = render("failure_dialog.html", failure=failure_html(""))
    gr.HTML(html, apply_default_css=False, elem_id="studio-failure-place")


def current_page() -> gr.Blocks:
    """Return the surrounding `gr.Blocks`.

    Reason: a tab that is built by a function needs the page's `load` event, and Gradio has no public access to it.
    https://github.com/gradio-app/gradio/blob/gradio%406.31.0/gradio/context.py (`Context.root_block`)
    """
    page = Context.root_block
    assert page is not None, "there is no surrounding gr.Blocks"
    return page


def launch(app: gr.Blocks, uvicorn_settings: dict[str, Any] | None = None, **settings: Any) -> None:
    """Launch an app with slim sessions; if it listens, go on even if Gradio's own request for the first page fails.

    Reasons: Gradio requests that page as soon as the server listens, waits three seconds, and raises otherwise: on a
    busy machine, or when visitors come at once, an app that works would end. And it passes no settings to uvicorn, and
    has no argument for the class of sessions.
    https://github.com/gradio-app/gradio/blob/gradio%406.31.0/gradio/blocks.py (`Blocks.launch`)
    https://github.com/gradio-app/gradio/blob/gradio%406.31.0/gradio/http_server.py (`start_server`)

    Args:
        app: The page.
        uvicorn_settings: Additional arguments of `uvicorn.Config`.
        settings: The arguments of `gr.Blocks.launch`.

    Raises:
        OSError: The server cannot listen there, or cannot be reached at all.
    """
    if settings.get("mcp_server"):
        refuse_paths_of_tools()
    _add_preload_links(app)
    configure = partial(uvicorn.Config, **(uvicorn_settings or {}))
    http_server.uvicorn = SimpleNamespace(Config=configure)
    routes.StateHolder = SlimStateHolder
    try:
        app.launch(**settings)
    except (ValueError, httpx.HTTPError) as error:
        if not (app.is_running and app.server_app.startup_events_triggered):
            raise OSError(f"the server does not answer: {error}") from error
        logger.warning("The page is served, but Gradio could not request it: %s", error)
    finally:
        http_server.uvicorn = uvicorn
        routes.StateHolder = StateHolder


def preload_links(types: Iterable[str]) -> str:
    """Return the elements with which a browser requests the scripts and styles of a page at once.

    Reason: Gradio's page imports its scripts in steps: the first script, the program, the scripts of components. It
    asks for those of a step only when the scripts of the last one run. What a step needs stands in those scripts, where
    Vite writes the list `__vite__mapDeps`.
    https://github.com/vitejs/vite/blob/main/packages/vite/src/node/plugins/importAnalysisBuild.ts

    Args:
        types: The types of components that the page loads when it opens, such as "button".
    """
    page = (_FRONTEND / "index.html").read_text(encoding="utf-8")
    first = re.findall(r'src="\./assets/([\w-]+\.js)"', page)
    second = [name for script in first for name in _find_imports(_read_script(script))]
    imports: dict[str, list[str]] = {}
    components: dict[str, str] = {}
    for script in map(_read_script, [*first, *second]):
        imports |= _find_imports(script)
        components |= re.findall(r"\b(\w+):\{[^}]*?component:\(\)=>\w+\(\(\)=>import\(`\./([\w.-]+)`", script)
    third = [name for name in imports if name.startswith("Blocks-")]
    fourth = [components[name] for name in types if name in components]
    names = dict.fromkeys([*first, *(name for script in [*second, *third, *fourth] for name in imports[script])])
    kinds = {".js": 'rel="modulepreload"', ".css": 'rel="preload" as="style" crossorigin'}
    return "".join(f'<link {kinds[Path(name).suffix]} href="./assets/{name}">' for name in names)


def _add_preload_links(page: gr.Blocks) -> None:
    """Write the links of `preload_links` into the page that Gradio serves.

    Reason: Gradio inserts `head` of `launch` by a script, when the first steps are over.
    https://github.com/gradio-app/gradio/blob/gradio%406.31.0/gradio/routes.py (`templates`)
    """
    visible = [block for block in page.blocks.values() if getattr(block, "visible", True) is not False]
    links = preload_links(dict.fromkeys(block.get_block_name() for block in visible))
    theme = '<link rel="preload" as="style" href="./theme.css?v={{ config.get(\'theme_hash\', \'\') }}">'
    html = (_FRONTEND / "index.html").read_text(encoding="utf-8")
    template = html.replace("<style>", f"{links}{theme}<style>", 1)
    changed = DictLoader({"frontend/index.html": template})
    routes.templates.env.loader = ChoiceLoader([changed, FileSystemLoader(_FRONTEND.parent)])


def _read_script(name: str) -> str:
    return (_FRONTEND / "assets" / name).read_text(encoding="utf-8")


def _find_imports(source: str) -> dict[str, list[str]]:
    """Return the files that the browser needs for each script that a script imports."""
    files = [Path(name).name for found in re.findall(r"m\.f=(\[[^]]*\])", source) for name in json.loads(found)]
    imports = re.findall(r"import\(`\./([\w.-]+)`\)[^`]*?__vite__mapDeps\(\[([\d,]+)\]\)", source)
    return {name: [files[int(number)] for number in numbers.split(",")] for name, numbers in imports}


def find_katex() -> str | None:
    """Return the address, below that of the app, of the module with which Gradio draws formulas, or None.

    Reason: the teacher's preview of a question draws formulas as learners see them. The module exports KaTeX as its
    default; its name has a hash of its contents.
    https://github.com/gradio-app/gradio/blob/gradio%406.31.0/js/markdown-code/MarkdownCode.svelte
    """
    names = sorted(path.name for path in (_FRONTEND / "assets").glob("katex-*.js"))
    return f"assets/{names[0]}" if names else None


def build_list_input(items: dict[str, Any], label: str) -> gr.JSON:
    """Add an input of the API that takes a list; the page does not show it.

    Reason: the JSON schema of `gr.JSON` as an input is invalid, so that MCP clients cannot call a tool that has one.
    For each subclass of a component, Gradio writes a stub file into the package.
    https://github.com/gradio-app/gradio/blob/gradio%406.31.0/gradio/components/json_component.py (`JSON.api_info`)

    Args:
        items: JSON schema of the items.
        label: Name of the input.
    """
    component = gr.JSON(label=label, visible=False)
    component.api_info = lambda: {"type": "array", "items": items}
    return component


def refuse_paths_of_tools() -> None:
    """Let an MCP tool that gets a path refuse it in the words of `NOT_UPLOADED`.

    Reason: Gradio asks for a URL instead, which this app does not fetch.
    https://github.com/gradio-app/gradio/blob/gradio%406.31.0/gradio/mcp.py (`convert_strings_to_filedata`)
    """
    from gradio.mcp import GradioMCPServer  # needs the extra 'mcp'

    convert = GradioMCPServer.convert_strings_to_filedata

    def convert_or_refuse(server: Any, value: Any, positions: list[list[str | int]]) -> Any:
        try:
            return convert(server, value, positions)
        except ValueError as error:
            raise ValueError(NOT_UPLOADED) from error

    GradioMCPServer.convert_strings_to_filedata = convert_or_refuse


def load_when_opened(page: gr.Blocks) -> None:
    """Let the browser load the scripts of components in closed tabs and accordions when a visitor opens those.

    Call this inside the page, when it is complete. What is built with `visible=False`, for an event to show it, stays
    so; components whose type is also in the open part of the page stay visible.

    Reason: when the page opens, Gradio loads the scripts of all components that are not `visible=False`, also of those
    that it does not draw yet.
    https://github.com/gradio-app/gradio/blob/gradio%406.31.0/js/core/src/init.svelte.ts (`AppTree.create_node`)

    Args:
        page: The page.
    """
    loaded: set[str] = set()
    late: dict[gr.Tab | gr.Accordion, list[Component]] = {}
    used = {block._id for event in page.fns.values() for block in (*event.inputs, *event.outputs)}

    def visit(parent: BlockContext, place: gr.Tab | gr.Accordion | None) -> None:
        for child in parent.children:
            visible = getattr(child, "visible", True)  # also the type of what is within something invisible is loaded
            if place is None and visible is not False:
                loaded.add(child.get_block_name())
            elif place and isinstance(child, Component) and visible is True:
                late.setdefault(place, []).append(child)
            if isinstance(child, BlockContext):
                is_closed_tab = isinstance(child, gr.Tab) and child is not parent.children[0]
                is_closed = is_closed_tab or (isinstance(child, gr.Accordion) and not child.open)
                visit(child, child if is_closed else place)

    visit(page, None)
    for place, components in late.items():
        components = [component for component in components if component.get_block_name() not in loaded]
        for component in components:
            component.visible = False
            # Gradio disables a component that is the output of an event only.
            if component._id not in used and component.interactive is None:
                component.interactive = True
        if components:
            update = {"__type__": "update", "visible": True}
            script = f"() => ({json.dumps([update] * len(components) if len(components) > 1 else update)})"
            opened = place.select if isinstance(place, gr.Tab) else place.expand
            opened(None, None, components, js=script, **LIGHT)


def build_when_opened(tab: gr.Tab, build: Callable[[], None]) -> None:
    """Build the contents of a tab for a visitor who opens it; call this inside the tab.

    Reason: `gr.render` has no argument for the visibility of its event in the API.
    https://github.com/gradio-app/gradio/blob/gradio%406.31.0/gradio/renderable.py

    Args:
        tab: The tab.
        build: Lays out components and events, which are the visitor's own.
    """
    opened = gr.State(False)
    # Queued, because Gradio tells the page only then that a state has changed.
    tab.select(lambda: True, None, opened, queue=True, show_progress="hidden", api_visibility="private")
    gr.render(inputs=[], triggers=[opened.change], queue=False, show_progress="hidden")(build)
    for event in get_blocks_context().fns.values():
        if event.renderable:
            event.api_visibility = "private"
