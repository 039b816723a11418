"""Visitors of the served app without a browser: they send over HTTP what the page sends, and read what it reads."""

import json
import random
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

PATIENCE_SECONDS = 120
RADIO, CHECKBOXES, NUMBER = "quiz-choice", "quiz-choices", "quiz-number"


class BusyError(Exception):
    """The app said that it is busy."""


class Page:
    """An open page: the values of its components, and its events."""

    def __init__(self, address: str, config: dict[str, Any] | None = None, session: str = "") -> None:
        """Open the page.

        Args:
            address: where the app is served.
            config: what `/config` says; by default it is asked for.
            session: name of the session, by default a random one.
        """
        self._host = urlsplit(address).netloc
        self._session = session or secrets.token_hex(8)
        self.config = config or json.loads(self._get("/config"))
        self.props: dict[int, dict[str, Any]] = {one["id"]: dict(one["props"]) for one in self.config["components"]}
        self.ids = {props.get("elem_id"): number for number, props in self.props.items()}
        self._events = {
            (self.props[target].get("elem_id") if target in self.props else "page", event): dependency
            for dependency in self.config["dependencies"]
            for target, event in dependency["targets"]
            if dependency["backend_fn"] and event != "then"
        }

    def arrive(self) -> int:
        """Do what a page does when it is opened, up to the verdict on the example; return that event's number."""
        self._get("/")
        self.fire("page", "load")
        example = next(one for one in self.config["dependencies"] if _opens_with(one) and not one["backend_fn"])
        self.follow(example["id"])
        return self.fire("sentiment-submit")

    def value(self, element: str) -> Any:
        """Return the value of an element."""
        return self.props[self.ids[element]].get("value")

    def put(self, element: str, value: Any) -> None:
        """Type or choose something."""
        self.props[self.ids[element]]["value"] = value

    def is_shown(self, element: str) -> bool:
        """Return whether an element is visible."""
        return self.props[self.ids[element]].get("visible", True) is True

    def fire(self, element: str, event: str = "click") -> int:
        """Send an event and take what comes back into the components; return its number, for `follow`.

        Raises:
            BusyError: the app is busy.
            ValueError: the event failed.
        """
        dependency = self._events[element, event]
        self._run(dependency)
        return dependency["id"]

    def follow(self, number: int) -> int:
        """Send the event that the page sends after another one; return its number."""
        after = (one for one in self.config["dependencies"] if one["trigger_after"] == number and one["backend_fn"])
        dependency = next(after)
        self._run(dependency)
        return dependency["id"]

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """Upload a file; return it as the page hands it to an event."""
        border = secrets.token_hex(16)
        head = f'--{border}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{border}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={border}"}
        (path,) = json.loads(self._sent("POST", "/gradio_api/upload", body, kind))
        return {"path": path, "orig_name": name, "size": len(content), "meta": {"_type": "gradio.FileData"}}

    def download(self, path: str) -> bytes:
        """Return a file that the app has made for this visitor."""
        return self._get(f"/gradio_api/file={path}")

    def _run(self, dependency: dict[str, Any]) -> None:
        data = [self.props[number].get("value") for number in dependency["inputs"]]
        asked = {"data": data, "fn_index": dependency["id"], "session_hash": self._session, "event_data": None}
        answered = self._queued(asked) if dependency["queue"] is not False else self._unqueued(asked)
        for number, value in zip(dependency["outputs"], answered, strict=True):
            update = isinstance(value, dict) and value.get("__type__") == "update"
            self.props[number].update(value if update else {"value": value})

    def _unqueued(self, asked: dict[str, Any]) -> list[Any]:
        return json.loads(self._post("/gradio_api/run/predict", asked))["data"]

    def _queued(self, asked: dict[str, Any]) -> list[Any]:
        """Wait in line, and return what the event comes to in the end."""
        event = json.loads(self._post("/gradio_api/queue/join", asked))["event_id"]
        data: list[Any] = []
        with self._asked("GET", f"/gradio_api/queue/data?session_hash={self._session}") as answer:
            while line := answer.readline():
                message = json.loads(line[6:]) if line.startswith(b"data: ") else {}
                if message.get("event_id") != event or "success" not in message:
                    continue
                if not message["success"]:
                    raise ValueError(f"failed: {message}"[:500])
                if message["msg"] == "process_completed":
                    return data or message["output"]["data"]
                data = _merged(data, message["output"]["data"])
        raise ValueError("the line of messages ended before the event did")

    def _get(self, path: str) -> bytes:
        return self._sent("GET", path)

    def _post(self, path: str, asked: dict[str, Any]) -> bytes:
        return self._sent("POST", path, json.dumps(asked).encode(), {"Content-Type": "application/json"})

    def _sent(self, *request: Any) -> bytes:
        with self._asked(*request) as answer:
            return answer.read()

    @contextmanager
    def _asked(self, *request: Any) -> Iterator[HTTPResponse]:
        """Yield the answer to a request, over a connection of its own: the server closes idle ones."""
        with closing(HTTPConnection(self._host, timeout=PATIENCE_SECONDS)) as connection:
            connection.request(*request)
            answer = connection.getresponse()
            if answer.status in (429, 503):
                raise BusyError(answer.read()[:300])
            if answer.status != 200:
                raise ValueError(f"{answer.status} {answer.read()[:300]!r}")
            yield answer


class Learner:
    """Someone who answers the quiz at random."""

    def __init__(self, page: Page, chance: random.Random) -> None:
        """Take an open page."""
        self.page, self._chance = page, chance

    def open(self) -> None:
        """Come to the first question."""
        self.page.fire("page", "load")

    def answer(self) -> None:
        """Answer the open question.

        Raises:
            ValueError: the answer was not acknowledged.
        """
        for element in (RADIO, CHECKBOXES):
            letters = [value for _, value in self.page.props[self.page.ids[element]]["choices"]]
            letter = self._chance.choice(letters) if letters else None  # none where the question has other inputs
            self.page.put(element, letter if element == RADIO else [letter] if letter else [])
        self.page.put(NUMBER, str(self._chance.randint(0, 99)))
        self.page.fire("quiz-submit")
        if not self.page.is_shown("quiz-after"):
            raise ValueError(f"not acknowledged: {self.page.value('quiz-feedback')}")

    def go_on(self) -> None:
        """Go to the next question, or start again after the last one."""
        self.page.fire("quiz-next")
        if not self.page.is_shown("quiz-question"):
            self.page.fire("quiz-restart")


def _opens_with(dependency: dict[str, Any]) -> bool:
    return any(event == "load" for _, event in dependency["targets"])


def _merged(before: list[Any], sent: list[Any]) -> list[Any]:
    """Return the outputs after one more step of an event; from the second step on only the differences are sent."""
    if not before:
        return sent
    after = json.loads(json.dumps(before))
    for number, changes in enumerate(sent):
        for action, path, value in changes:
            after[number] = _changed(after[number], action, path, value)
    return after


def _changed(value: Any, action: str, path: list[Any], new: Any) -> Any:
    if not path:
        return value + new if action == "append" else new
    if len(path) == 1 and action == "delete":
        del value[path[0]]
    elif len(path) == 1 and action == "add" and isinstance(value, list):
        value.insert(path[0], new)
    elif len(path) == 1 and action == "add":
        value[path[0]] = new
    else:
        value[path[0]] = _changed(value[path[0]], action, path[1:], new)
    return value
