"""Attack a running app over HTTP as one anonymous visitor, and report which findings can be reproduced.

    python benchmarks/attack.py                                  # the app of this checkout
    python benchmarks/attack.py --address http://127.0.0.1:7860  # one that runs already

Each attack is one that stopped or misused an earlier version of the app; SECURITY.md lists them. The exit code is 1 if
one of them succeeds. Attack only an app of your own.
"""

import argparse
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.app_server import serve
from benchmarks.gradio_http import Page, connect, file_data

TOKEN = "the teacher's long token"
OTHER_ADDRESS = "127.0.0.2"
HOLD_SECONDS = 3.0
SLOW_SECONDS = 3.0
Attack = Callable[[str], str]


def half_sent_requests(address: str) -> str:
    """Hold 64 half-sent requests, and send an event as another visitor."""
    head = "POST /gradio_api/run/predict HTTP/1.1\r\nHost: app\r\nContent-Type: application/json\r\n"
    with ExitStack() as stack:
        for _ in range(64):
            connection = stack.enter_context(_open(address))
            connection.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        time.sleep(HOLD_SECONDS)
        status, _ = _classify(address)
    return "" if status == 200 else f"another visitor got {status}"


def large_invalid_bodies(address: str) -> str:
    """Send large bodies that fail validation, and look at the answer and at the time of another visitor."""
    body = json.dumps({"session_hash": {str(number): number for number in range(150_000)}}).encode()
    findings = []
    with connect(address) as client:
        for path in ("/gradio_api/cancel", "/gradio_api/reset", "/gradio_api/queue/join"):
            with _watched(address) as longest:
                answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
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
    """Fill the queue with explanations of 200,000 characters, and count how many get in."""
    text, accepted = "not bad at all . " * 11_700, 0
    with connect(address) as client:
        page = Page(client)
        event = page.endpoint("explain")
        for number in range(70):
            body = {"data": [text, ["leave_one_out"]], "fn_index": event["id"], "session_hash": f"long-{number}"}
            accepted += client.post("/gradio_api/queue/join", json=body).status_code == 200
    return f"{accepted} of 70 were queued" if accepted > 48 else ""


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
    "2 half-sent requests": half_sent_requests,
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


def attack(address: str) -> bool:
    """Run every attack, print what it found, and return whether one succeeded."""
    _classify(address)  # waits for the model
    succeeded = False
    for name, run in ATTACKS.items():
        finding = run(address)
        print(f"{name}: {finding or 'refused'}", flush=True)
        succeeded |= bool(finding)
    return succeeded


def main() -> None:
    """Attack the app of this checkout, or one that runs already."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", help="a running app, whose TEACHER_TOKEN is the one of this script")
    chosen = parser.parse_args()
    if chosen.address:
        succeeded = attack(chosen.address)
    else:
        with serve(TEACHER_TOKEN=TOKEN) as address:
            succeeded = attack(address)
    sys.exit(1 if succeeded else 0)


if __name__ == "__main__":
    main()
