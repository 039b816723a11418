"""Visitors of the served app without a browser, honest and hostile ones."""

import json
import random
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx

from benchmarks.gradio_http import Page, connect

CHOSEN, OPTIONS, NUMBER = "quiz-chosen", "quiz-options", "quiz-number"


def open_page(
    address: str, config: dict[str, Any] | None = None, session: str = "", local_address: str | None = None
) -> Page:
    """Return a page of the app at an address; the local address is that of the visitor."""
    return Page(connect(address, local_address), session, config)


@contextmanager
def half_sent_requests(address: str, count: int, local_address: str) -> Iterator[None]:
    """Hold requests that promise 100 bytes and send one while the block runs."""
    url = urlsplit(address)
    head = "POST /gradio_api/run/predict HTTP/1.1\r\nHost: app\r\nContent-Type: application/json\r\n"
    with ExitStack() as stack:
        for _ in range(count):
            connection = socket.create_connection((url.hostname, url.port), 30, (local_address, 0))
            stack.enter_context(connection)
            connection.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        yield


class Attacker:
    """A visitor who wants the app to stop for others: rows 2, 3 and 7 of SECURITY.md's attacks, in turn."""

    large_body = json.dumps({"session_hash": {str(number): number for number in range(140_000)}}).encode()
    long_text = "not bad at all . " * 11_700

    def __init__(self, address: str, local_address: str, config: dict[str, Any]) -> None:
        """Take the address of the app, the attacker's own, and the contents of `/config`."""
        self._address, self._local_address = address, local_address
        self._page = open_page(address, config, local_address=local_address)
        self.statuses: Counter[str] = Counter()

    def attack(self, hold_seconds: float) -> None:
        """Make each attack once."""
        with suppress(OSError), half_sent_requests(self._address, 16, self._local_address):
            time.sleep(hold_seconds)
        for path in ("cancel", "reset", "queue/join"):
            self._post(path, content=self.large_body, headers={"Content-Type": "application/json"})
        explain = self._page.endpoint("explain")["id"]
        for _ in range(7):
            data = [self.long_text, ["integrated_gradients", "leave_one_out"]]
            self._post("queue/join", json={"data": data, "fn_index": explain, "session_hash": self._page.session})

    def _post(self, path: str, **content: Any) -> None:
        try:
            status = str(self._page.client.post(f"/gradio_api/{path}", **content).status_code)
        except httpx.TransportError:
            status = "no response"
        self.statuses[status] += 1


class Learner:
    """A learner who answers the quiz at random."""

    def __init__(self, page: Page, chance: random.Random) -> None:
        """Take an open page."""
        self.page, self._chance = page, chance

    def open(self) -> None:
        """Go to the first question."""
        self.page.fire("page", "load")

    def answer(self) -> None:
        """Answer the open question.

        Raises:
            ValueError: The answer was not acknowledged.
        """
        self.page.put(CHOSEN, self._choose())
        self.page.put(NUMBER, str(self._chance.randint(0, 99)))
        self.page.fire("quiz-submit")
        if not self.page.is_shown("quiz-after"):
            raise ValueError(f"not acknowledged: {self.page.value('quiz-feedback')}")

    def _choose(self) -> str:
        """Return letters, or numbers of sliders, that the open question accepts; empty for a number."""
        if self.page.is_shown("quiz-sliders"):
            return ";".join(
                str(self._chance.random()) for _ in re.findall("<input", str(self.page.value("quiz-sliders")))
            )
        markdown = str(self.page.value(OPTIONS))
        letters = "ABCDEFGHIJ"[: len(re.findall(r"^- ", markdown, re.MULTILINE))]
        kinds = self.page.props[self.page.ids[OPTIONS]].get("elem_classes", [])
        if "quiz-order" in kinds:
            return "".join(self._chance.sample(letters, len(letters)))
        places = len(re.findall(r"^\d+\. ", markdown, re.MULTILINE)) if "quiz-match" in kinds else 1
        return "".join(self._chance.choices(letters, k=places)) if "quiz-numeric" not in kinds else ""

    def go_on(self) -> None:
        """Go to the next question, or start again after the last one."""
        self.page.fire("quiz-next")
        if not self.page.is_shown("quiz-question"):
            self.page.fire("quiz-restart")
