"""Attack a running app over HTTP as one anonymous visitor, and report which findings can be reproduced.

    python benchmarks/attack.py                                  # the app of this checkout
    python benchmarks/attack.py --address http://127.0.0.1:7860  # one that runs already

Each attack is one that stopped or misused an earlier version of the app; SECURITY.md lists them. During an attack on
the app of this checkout, another visitor asks for verdicts all the time, and the memory of the app is watched; the
figures go to benchmarks/results/attack.json. The exit code is 1 if an attack succeeds. Attack only an app of your own.
"""

import argparse
import json
import os
import platform
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.app_server import REPOSITORY, serve_process
from benchmarks.diary import percentiles, tree_megabytes
from benchmarks.gradio_http import BusyError, Page, connect, file_data
from benchmarks.visitors import Attacker, half_sent_requests
from sentiment_gru.results import METHODS
from tests import bombs

RESULT = REPOSITORY / "benchmarks" / "results" / "attack.json"
TOKEN = "the teacher's long token"
OTHER_ADDRESS = "127.0.0.2"
HOLD_SECONDS = 3.0
SLOW_SECONDS = 3.0
APP_MEGABYTES, ALL_MEGABYTES = 800, 1_300
WAIT_SECONDS = 60.0
ATTACK_SECONDS = 10.0
"""An attack is repeated for this long."""
PAUSE_SECONDS = 0.2
"""Pause between two verdicts of the other visitor."""
TEXT = "not bad at all . "
Attack = Callable[[str], str]


def read_bombs(paths: list[Path], address: str) -> str:
    """Upload small files that cost much, twice each, and let them be read, four at once.

    Returns how many were neither read nor refused in words. What they cost, the bystander notes.
    """

    def upload(path: Path) -> bool:
        with connect(address) as client:
            page = Page(client)
            try:
                status, _ = page.send(page.event("files-upload", "upload"), [page.upload(path.name, path.read_bytes())])
            except BusyError:
                return False
            return status not in (200, 429, 503)

    with ThreadPoolExecutor(4) as threads:
        failed = sum(threads.map(upload, paths * 2))
    return f"{failed} of {2 * len(paths)} failed" if failed else ""


def hold_half_sent_requests(address: str) -> str:
    """Hold 64 half-sent requests, and send an event as another visitor."""
    with half_sent_requests(address, 64, "127.0.0.1"):
        time.sleep(HOLD_SECONDS)
        status, _ = _classify(address)
    return "" if status == 200 else f"another visitor got {status}"


def large_invalid_bodies(address: str) -> str:
    """Send large bodies that fail validation, and look at the answer and at the time of another visitor."""
    findings = []
    with connect(address) as client:
        for path in ("/gradio_api/cancel", "/gradio_api/reset", "/gradio_api/queue/join"):
            with _watched(address) as longest:
                answer = client.post(path, content=Attacker.large_body, headers={"Content-Type": "application/json"})
            if len(answer.content) > 10_000:
                findings.append(f"{path} repeated {len(answer.content):,} bytes")
            if longest[0] > SLOW_SECONDS:
                findings.append(f"{path} held others up for {longest[0]:.1f} s")
    return "; ".join(findings)


def remote_files(address: str) -> str:
    """Make the server fetch a URL by the file routes and by file data."""
    with socket.create_server(("127.0.0.1", 0)) as target, connect(address) as client:
        target.settimeout(HOLD_SECONDS)
        url = f"http://127.0.0.1:{target.getsockname()[1]}/x.csv"
        findings = [
            f"{route} answered {status}"
            for route in ("/gradio_api/file=", "/gradio_api/file/")
            if (status := client.get(route + url).status_code) != 404
        ]
        page = Page(client)
        _, answer = page.send(page.event("files-upload", "upload"), [file_data(url)])
        if "must be uploaded" not in answer:
            findings.append("file data with a URL reached Gradio")
        try:
            target.accept()[0].close()
            findings.append("the server fetched the URL")
        except TimeoutError:
            pass
    return "; ".join(findings)


def reset_downloads_of_assets(address: str) -> str:
    """Request assets without Accept-Encoding and reset the connection; return how many are empty for others."""
    with connect(address) as client:
        page = client.get("/").text
        paths = {part.split('"')[0] for part in page.split('"') if part.startswith(("./assets/", "/assets/"))}
        empty = 0
        for path in sorted(path.removeprefix(".") for path in paths):
            for _ in range(3):
                with _open(address) as connection:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: app\r\n\r\n".encode())
            empty += not client.get(path, headers={"Accept-Encoding": "identity"}).content
    if not paths:
        raise RuntimeError("the page names no asset")
    return f"{empty} of {len(paths)} assets are empty" if empty else ""


def long_explanations(address: str) -> str:
    """Ask for 70 explanations of 200,000 characters, then for one of a short text as another visitor."""
    accepted = 0
    with connect(address) as client:
        page = Page(client)
        for number in range(70):
            accepted += _join(client, page.endpoint("explain"), Attacker.long_text, f"long-{number}")
    with connect(address, OTHER_ADDRESS) as client:
        page = Page(client)
        if not _join(client, page.endpoint("explain"), TEXT, "short"):
            return f"{accepted} of 70 were queued, and then none of another visitor"
        start = time.monotonic()
        with client.stream("GET", "/gradio_api/queue/data?session_hash=short") as stream:
            for line in stream.iter_lines():
                if '"process_completed"' in line:
                    break
        seconds = time.monotonic() - start
    return f"another visitor waited {seconds:.0f} s for an explanation" if seconds > WAIT_SECONDS else ""


def _join(client: Any, event: dict[str, Any], text: str, session: str) -> bool:
    body = {"data": [text, list(METHODS)], "fn_index": event["id"], "session_hash": session}
    return bool(client.post("/gradio_api/queue/join", json=body).status_code == 200)


def wrong_teacher_tokens(address: str) -> str:
    """Send five wrong tokens, then the right one; use a cookie after signing out."""
    findings = []
    with connect(address) as client:
        for _ in range(5):
            client.post("/teacher", data={"token": "guess"})
        if (status := client.post("/teacher", data={"token": TOKEN}).status_code) != 303:
            return f"the right token got {status}"
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        client.post("/teacher/leave")
        client.cookies.clear()
        if client.get("/teacher/feedback.csv", headers={"Cookie": cookie}).status_code == 200:
            findings.append("the cookie works after signing out")
    return "; ".join(findings)


def idle_connections(address: str) -> str:
    """Open 1,100 connections that send nothing, and send an event as another visitor."""
    with ExitStack() as stack:
        for _ in range(1_100):
            try:
                stack.enter_context(_open(address))
            except OSError:
                break
        status, seconds = _classify(address, timeout=30)
    return "" if status == 200 and seconds < 10 else f"another visitor got {status} after {seconds:.1f} s"


def output_formats(address: str) -> str:
    """Ask for an output format that is a path."""
    with connect(address) as client:
        page = Page(client)
        file = page.upload("texts.csv", b"text\na fine film\n")
        _, answer = page.send(page.endpoint("score_file"), [file, "", "", "csv/../../x"])
    return "" if "output_format must be one of" in answer else "the format was used as a path"


def numbers_that_are_not_finite(address: str) -> str:
    """Send NaN in a JSON body."""
    with connect(address) as client:
        body = b'{"data": [NaN], "fn_index": 0}'
        headers = {"Content-Type": "application/json"}
        status = client.post("/gradio_api/run/predict", content=body, headers=headers).status_code
    return "" if status == 400 else f"the status is {status}"


ATTACKS: dict[str, Attack] = {
    "2 half-sent requests": hold_half_sent_requests,
    "3 large invalid bodies": large_invalid_bodies,
    "5 files on other hosts": remote_files,
    "6 reset downloads": reset_downloads_of_assets,
    "8 teacher's sign-in": wrong_teacher_tokens,
    "9 idle connections": idle_connections,
    "10 output formats": output_formats,
    "NaN": numbers_that_are_not_finite,
    "7 long explanations": long_explanations,  # last, as it leaves the server at work
}


def _open(address: str) -> socket.socket:
    url = urlsplit(address)
    return socket.create_connection((url.hostname, url.port), timeout=30)


def _classify(address: str, timeout: float = 120) -> tuple[int | str, float]:
    """Judge a text from another address; return the status, or the error, and the seconds it took."""
    start = time.monotonic()
    try:
        with connect(address, OTHER_ADDRESS) as client:
            client.timeout = timeout
            page = Page(client)
            status, _ = page.send(page.event("sentiment-submit"))
    except OSError as error:
        return repr(error), time.monotonic() - start
    return status, time.monotonic() - start


@contextmanager
def _watched(address: str) -> Iterator[list[float]]:
    """Request a small resource from another address while the block runs; yield the longest time in seconds."""
    longest, done = [0.0], threading.Event()

    def watch() -> None:
        with connect(address, OTHER_ADDRESS) as client:
            while not done.is_set():
                start = time.monotonic()
                client.get("/theme.css")
                longest[0] = max(longest[0], time.monotonic() - start)
                time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield longest
    finally:
        done.set()
        watcher.join()


class Bystander:
    """Another visitor, who asks for a verdict again and again while an attack runs."""

    def __init__(self, address: str, process: int | None) -> None:
        """Open the page, and begin; a process is that of the app, whose memory is watched."""
        self._client = connect(address, OTHER_ADDRESS)
        self._page, self._process = Page(self._client), process
        self._done = threading.Event()
        self._milliseconds: list[float] = []
        self._refused: list[str] = []
        self._memory: list[tuple[float, float]] = []
        self._threads = [threading.Thread(target=self._ask), threading.Thread(target=self._watch)]

    def __enter__(self) -> "Bystander":
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End after the verdict that is awaited."""
        self._done.set()
        for thread in self._threads:
            thread.join()
        self._client.close()

    def _ask(self) -> None:
        self._page.put("sentiment-text", TEXT)
        while not self._done.wait(PAUSE_SECONDS):
            start = time.perf_counter()
            try:
                status, text = self._page.send(self._page.event("sentiment-submit"))
            except OSError as error:
                self._refused.append(repr(error))
                continue
            self._milliseconds.append((time.perf_counter() - start) * 1000)
            if status != 200:
                self._refused.append(f"{status} {text[:200]}")

    def _watch(self) -> None:
        while self._process and not self._done.wait(0.1):
            self._memory.append(tree_megabytes(self._process))

    def summary(self) -> dict[str, Any]:
        """Return times and refusals of the verdicts, and the highest memory of the app and of all its processes."""
        result: dict[str, Any] = {"verdicts": len(self._milliseconds), "refused": self._refused[:5]}
        if self._milliseconds:
            result |= percentiles(self._milliseconds)
        if self._memory:
            own, everything = (round(max(values)) for values in zip(*self._memory, strict=True))
            result |= {"app_megabytes": own, "all_processes_megabytes": everything}
        return result


def attack(address: str, process: int | None = None) -> dict[str, Any]:
    """Run every attack, print what it found, and return findings and figures by the name of the attack."""
    with TemporaryDirectory() as folder:
        memory, minutes = (
            [make(Path(folder, name)) for name, make in makers.items()] for makers in (bombs.OF_MEMORY, bombs.OF_TIME)
        )
        attacks: dict[str, Attack] = {
            "none": lambda address: "",
            "1 files of gigabytes": partial(read_bombs, memory),
            "4 files of minutes": partial(read_bombs, minutes),
            **ATTACKS,
        }
        _classify(address)  # waits for the model
        return {name: _attack_once(address, process, name, run) for name, run in attacks.items()}


def _attack_once(address: str, process: int | None, name: str, run: Attack) -> dict[str, Any]:
    """Repeat an attack for some seconds, print what it found, and return that."""
    findings: list[str] = []
    end = time.monotonic() + ATTACK_SECONDS
    with Bystander(address, process) as other:
        while not findings or time.monotonic() < end:
            findings.append(run(address))
            time.sleep(PAUSE_SECONDS)
    figures = other.summary()
    findings += [f"another visitor got {refusal}" for refusal in figures["refused"][:1]]
    findings += [
        f"{memory} of {figures[memory]} MB"
        for memory, limit in (("app_megabytes", APP_MEGABYTES), ("all_processes_megabytes", ALL_MEGABYTES))
        if figures.get(memory, 0) > limit
    ]
    result = {"finding": "; ".join(dict.fromkeys(filter(None, findings))) or None, **figures}
    print(f"{name}: {json.dumps(result)}", flush=True)
    return result


def main() -> None:
    """Attack the app of this checkout, or one that runs already."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", help="a running app, whose TEACHER_TOKEN is the one of this script")
    parser.add_argument("--output", type=Path, default=RESULT)
    chosen = parser.parse_args()
    load = os.getloadavg()[0]
    if chosen.address:
        results = attack(chosen.address)
    else:
        with serve_process(TEACHER_TOKEN=TOKEN) as served:
            results = attack(served.address, served.process.pid)
        content = {
            "script": "python benchmarks/attack.py",
            "attacks": results,
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, which the attacker shares",
            "load": [round(load, 1), round(os.getloadavg()[0], 1)],
            "date": time.strftime("%Y-%m-%d"),
        }
        chosen.output.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    sys.exit(any(result["finding"] for result in results.values()))


if __name__ == "__main__":
    main()
