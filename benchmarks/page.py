"""A visitor's page without the browser: it fires the events of the app over HTTP, with whatever data it is given."""

import json
from typing import Any


class Page:
    """One visitor. The client is of httpx, or Starlette's `TestClient`."""

    def __init__(self, client: Any, session: str) -> None:
        """Fetch what the page consists of."""
        self.client, self.session = client, session
        config = client.get("/config").json()
        self.components = {one["id"]: one for one in config["components"]}
        self.events = [event for event in config["dependencies"] if event["backend_fn"]]
        self.values = {number: one["props"].get("value") for number, one in self.components.items()}
        self._numbers = {one["props"].get("elem_id"): number for number, one in self.components.items()}

    def event(self, element: str, trigger: str = "click") -> dict[str, Any]:
        """Return the event of an element, by its id in the page."""
        target = [self._numbers[element], trigger]
        return next(event for event in self.events if target in [list(one) for one in event["targets"]])

    def fill(self, **values: Any) -> None:
        """Type into elements, whose ids have _ for -."""
        for name, value in values.items():
            self.values[self._numbers[name.replace("_", "-")]] = value

    def value(self, element: str) -> Any:
        """Return what an element shows."""
        return self.values[self._numbers[element]]

    def fire(self, event: dict[str, Any], data: list[Any] | None = None, **body: Any) -> tuple[int, str]:
        """Fire an event as the page does; return the status and everything that came back.

        Args:
            event: One of `events`.
            data: Its inputs, by default what the page holds.
            body: What to change in the request.
        """
        if data is None:
            data = [self.values.get(number) for number in event["inputs"]]
        request = {"data": data, "fn_index": event["id"], "session_hash": self.session, "event_data": None} | body
        if not event["queue"]:
            answer = self.client.post("/gradio_api/run/predict", json=request)
            if answer.status_code == 200:
                self._take(event, answer.json()["data"])
            return answer.status_code, answer.text
        joined = self.client.post("/gradio_api/queue/join", json=request)
        if joined.status_code != 200:
            return joined.status_code, joined.text
        stream = self.client.get("/gradio_api/queue/data", params={"session_hash": self.session}).text
        messages = [json.loads(line.removeprefix("data: ")) for line in stream.splitlines() if line.startswith("data:")]
        ends = [one for one in messages if one["msg"] == "process_completed"]
        if ends and ends[-1]["success"] and ends[-1]["output"].get("data"):
            self._take(event, ends[-1]["output"]["data"])
        return 200 if ends and ends[-1]["success"] else 500, stream

    def _take(self, event: dict[str, Any], data: list[Any]) -> None:
        for number, sent in zip(event["outputs"], data, strict=False):
            if not (isinstance(sent, dict) and sent.get("__type__") == "update"):
                self.values[number] = sent
            elif "value" in sent:
                self.values[number] = sent["value"]
