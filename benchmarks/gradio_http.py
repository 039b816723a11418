"""The page of one visitor over HTTP, without a browser: it sends what Gradio's page sends, and applies the answers."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

TIMEOUT_SECONDS = 120


class BusyError(Exception):
    """The app answered 429 or 503."""


def connect(address: str, local_address: str | None = None) -> httpx.Client:
    """Return a client for an address. It keeps no idle connections, which the server would close.

    Args:
        address: The address of the app.
        local_address: The IP address of the client, such as 127.0.0.2.
    """
    limits = httpx.Limits(max_keepalive_connections=0)
    transport = httpx.HTTPTransport(verify=False, limits=limits, local_address=local_address, trust_env=False)
    return httpx.Client(base_url=address, timeout=TIMEOUT_SECONDS, transport=transport, trust_env=False)


class Page:
    """An open page: the properties of its components, and its events."""

    def __init__(self, client: Any, session: str = "", config: dict[str, Any] | None = None) -> None:
        """Open the page.

        Args:
            client: An `httpx.Client`, or Starlette's `TestClient`.
            session: Name of the session; by default a random one.
            config: The contents of `/config`, which is requested by default.
        """
        self.client, self.session = client, session or secrets.token_hex(8)
        with _network_errors():
            self.config = config or client.get("/config").json()
        self.components = {component["id"]: component for component in self.config["components"]}
        self.props: dict[int, dict[str, Any]] = {
            number: dict(component["props"]) for number, component in self.components.items()
        }
        self.ids = {props.get("elem_id"): number for number, props in self.props.items()}
        self.events = [event for event in self.config["dependencies"] if event["backend_fn"]]

    @property
    def values(self) -> dict[int, Any]:
        """The values of the components by id."""
        return {number: props.get("value") for number, props in self.props.items()}

    def event(self, element: str, trigger: str = "click") -> dict[str, Any]:
        """Return the event of an element, by its id in the page; "page" is the page itself."""
        for event in self.events:
            for target, name in event["targets"]:
                target_name = self.props[target].get("elem_id") if target in self.props else "page"
                if (target_name, name) == (element, trigger):
                    return event
        raise LookupError(f"there is no event {trigger} of {element}")

    def endpoint(self, name: str) -> dict[str, Any]:
        """Return the event of a public endpoint."""
        return next(event for event in self.events if event["api_name"] == name)

    def value(self, element: str) -> Any:
        """Return the value of an element."""
        return self.props[self.ids[element]].get("value")

    def put(self, element: str, value: Any) -> None:
        """Type or choose a value."""
        self.props[self.ids[element]]["value"] = value

    def fill(self, **values: Any) -> None:
        """Type into elements, whose ids are written with _ for -."""
        for name, value in values.items():
            self.put(name.replace("_", "-"), value)

    def is_shown(self, element: str) -> bool:
        """Return whether an element is visible."""
        return self.props[self.ids[element]].get("visible", True) is True

    def send(self, event: dict[str, Any], data: list[Any] | None = None, **changes: Any) -> tuple[int, str]:
        """Send an event, and apply the answer; return the status and the text of the answer.

        A queued event that fails has the status 500.

        Args:
            event: One of `events`.
            data: The inputs; by default the values of the page.
            changes: Changes of the request's body.
        """
        if data is None:
            data = [self.props[number].get("value") for number in event["inputs"]]
        body = {"data": data, "fn_index": event["id"], "session_hash": self.session, "event_data": None} | changes
        if event["queue"] is not False:
            return self._send_queued(event, body)
        with _network_errors():
            answer = self.client.post("/gradio_api/run/predict", json=body)
        if answer.status_code == 200:
            self._apply(event, answer.json()["data"])
        return answer.status_code, answer.text

    def fire(self, element: str, trigger: str = "click") -> int:
        """Send the event of an element; return its number, for `follow`.

        Raises:
            BusyError: The app is busy.
            ValueError: The event failed.
        """
        return self._require(self.event(element, trigger))

    def follow(self, number: int) -> int:
        """Send the event that the page sends after another one; return its number."""
        return self._require(next(event for event in self.events if event["trigger_after"] == number))

    def arrive(self) -> int:
        """Send what a page sends when it is opened, up to the verdict on the example; return that event's number."""
        self._get("/")
        self.fire("page", "load")
        example = next(
            event
            for event in self.config["dependencies"]
            if not event["backend_fn"] and any(name == "load" for _, name in event["targets"])
        )
        self.follow(example["id"])
        return self.fire("sentiment-submit")

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """Upload a file; return it in the form in which the page passes it to an event."""
        with _network_errors():
            answer = self.client.post("/gradio_api/upload", files={"files": (name, content)})
        (path,) = _checked(answer).json()
        return file_data(path) | {"orig_name": name, "size": len(content)}

    def download(self, path: str) -> bytes:
        """Return a file that the app has made for this visitor."""
        return self._get(f"/gradio_api/file={path}")

    def _require(self, event: dict[str, Any]) -> int:
        status, text = self.send(event)
        if status in (429, 503):
            raise BusyError(text[:300])
        if status != 200:
            raise ValueError(f"{status} {text[:500]}")
        return int(event["id"])

    def _send_queued(self, event: dict[str, Any], body: dict[str, Any]) -> tuple[int, str]:
        with _network_errors():
            joined = self.client.post("/gradio_api/queue/join", json=body)
            if joined.status_code != 200:
                return joined.status_code, joined.text
            event_id, lines, data = joined.json()["event_id"], [], []
            url = f"/gradio_api/queue/data?session_hash={self.session}"
            with self.client.stream("GET", url) as stream:
                for line in stream.iter_lines():
                    lines.append(line)
                    message = json.loads(line[6:]) if line.startswith("data: ") else {}
                    if message.get("event_id") != event_id or "success" not in message:
                        continue
                    if not message["success"]:
                        return 500, "\n".join(lines)
                    if message["msg"] == "process_completed":
                        self._apply(event, data or message["output"].get("data") or [])
                        return 200, "\n".join(lines)
                    data = _merge(data, message["output"]["data"])
        return 500, "\n".join(lines)

    def _get(self, path: str) -> bytes:
        with _network_errors():
            return bytes(_checked(self.client.get(path)).content)

    def _apply(self, event: dict[str, Any], data: list[Any]) -> None:
        for number, value in zip(event["outputs"], data, strict=False):
            update = isinstance(value, dict) and value.get("__type__") == "update"
            self.props[number].update(value if update else {"value": value})
            if self.props[number].get("elem_id") == "quiz-updates":  # which a script hands to the components
                for name, shown in value.items():
                    element = self.ids[f"quiz-{name.replace('_', '-')}"]
                    self.props[element].update(shown if isinstance(shown, dict) else {"value": shown})


def file_data(path: str) -> dict[str, Any]:
    """Return a path in the form in which the page passes an uploaded file to an event."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


@contextmanager
def _network_errors() -> Iterator[None]:
    """Raise `ConnectionError` for every failure of the network."""
    try:
        yield
    except httpx.TransportError as error:
        raise ConnectionError(repr(error)) from error


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.status_code in (429, 503):
        raise BusyError(answer.text[:300])
    if answer.status_code != 200:
        raise ValueError(f"{answer.status_code} {answer.text[:300]}")
    return answer


def _merge(before: list[Any], sent: list[Any]) -> list[Any]:
    """Return the outputs after one more step of an event; from the second step on Gradio sends differences only."""
    if not before:
        return sent
    after = json.loads(json.dumps(before))
    for number, changes in enumerate(sent):
        for action, path, value in changes:
            after[number] = _change(after[number], action, path, value)
    return after


def _change(value: Any, action: str, path: list[Any], new: Any) -> Any:
    if not path:
        return value + new if action == "append" else new
    if len(path) == 1 and action == "delete":
        del value[path[0]]
    elif len(path) == 1 and action == "add" and isinstance(value, list):
        value.insert(path[0], new)
    elif len(path) == 1 and action == "add":
        value[path[0]] = new
    else:
        value[path[0]] = _change(value[path[0]], action, path[1:], new)
    return value
