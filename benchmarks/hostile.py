"""Hostile input for `benchmarks.fuzz`: small files that stand for gigabytes, and addresses of other hosts."""

import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from benchmarks.gradio_http import Page
from sentiment_gru.errors import SentimentError
from sentiment_gru.files.readers import open_table
from sentiment_gru.web.files_tab import LIMITS
from tests import bombs

HOSTS = [
    "203.0.113.1",
    "host.invalid",
    "3405803777",
    "0xcb007101",
    "[2001:db8::1]",
    "host.invalid:80",
    "a@host.invalid",
]
SCHEMES = ["http", "https", "HTTP", "hTtPs", "ftp", "file", "gs", "s3", "hf", "data", "git+ssh"]
SCHEMES += ["http ", " http", "\thttp", "http\n"]
SEPARATORS = ["://", ":/", ":", ":///", ":\\\\", "%3A//", "\uff1a//", ":\t//"]
SUFFIXES = [".csv", ".txt", ".xlsx", ".html"]
ROUTES = ["/gradio_api/file=", "/gradio_api/file/", "/file=", "/gradio_api/proxy=", "/proxy="]
CONTACT_EVENTS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.connect")
CONTACTED = ("203.0.113.", "host.invalid", "3405803777", "0xcb007101", "2001:db8:")


def fuzz_bombs(chance: random.Random, until: float) -> Iterator[tuple[BaseException, bytes]]:
    """Read files that stand for much more than their size until the time is over; yield what breaks."""
    with TemporaryDirectory() as folder:
        while time.monotonic() < until:
            path = write_bomb(Path(folder), chance)
            try:
                for _ in open_table(path, LIMITS).content.read():
                    if time.monotonic() > until:
                        break
            except SentimentError:
                pass
            except Exception as error:
                yield error, path.read_bytes()


def write_bomb(folder: Path, chance: random.Random) -> Path:
    """Write a file of a kind and size that are drawn; return its path."""
    size = int(10 ** chance.uniform(0, 3.5))
    match chance.randrange(7):
        case 0:
            return bombs.write_repeated_binary(folder / "in.parquet", size)
        case 1:
            return bombs.write_repeated_list(folder / "in.parquet", size)
        case 2:
            return bombs.write_empty_cells(folder / "in.xlsx", 1_000 * size)
        case 3:
            return bombs.write_far_cells(folder / "in.xlsx", 10 * size)
        case 4:
            return bombs.write_shared_strings(folder / "in.xlsx", 300 * size)
        case 5:
            return bombs.write_wide_header(folder / chance.choice(["in.csv", "in.tsv", "in.txt"]), 10 * size)
        case _:
            return bombs.write_many_keys(folder / "in.jsonl", 100 * size)


class Contacts:
    """Notes which of the hosts in `HOSTS` this process looks up or connects to."""

    def __init__(self) -> None:
        """Listen to the interpreter's events, until it ends."""
        self.found: list[str] = []
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: Any) -> None:
        if event in CONTACT_EVENTS and any(host in repr(arguments).lower() for host in CONTACTED):
            self.found.append(f"{event} {arguments!r}")


def fuzz_urls(chance: random.Random, until: float) -> Iterator[tuple[BaseException, bytes]]:
    """Send addresses of other hosts, in many spellings, until the time is over; yield what makes a request to one."""
    contacts = Contacts()
    with served_client() as client:
        page = Page(client, "urls")
        takes_file = [
            event
            for event in page.events
            if any(page.components[number]["type"] in ("file", "uploadbutton") for number in event["inputs"])
        ]
        while time.monotonic() < until:
            url = spell_url(chance)
            if chance.random() < 0.3:
                sent = chance.choice(ROUTES) + chance.choice([str, quote])(url)
                client.get(sent.replace("#", "%23").replace("\t", "%09").replace("\n", "%0A"))
            else:
                event = chance.choice(takes_file)
                data = [place_url(url, chance) for _ in event["inputs"]]
                page.send(event, data)
                sent = repr((event["api_name"], data))
            for contact in contacts.found:
                yield AssertionError(f"a host was contacted: {contact}"), sent.encode("utf-8", "backslashreplace")
            contacts.found.clear()


def spell_url(chance: random.Random) -> str:
    """Return the address of a file on another host, well formed or not."""
    host = chance.choice(HOSTS)
    if chance.random() < 0.2:
        return f"{chance.choice(['//', '/', '', '/tmp/../'])}{host}/x.csv"
    return (
        f"{chance.choice(SCHEMES)}{chance.choice(SEPARATORS)}{host}/x.{chance.choice(['csv', 'txt', 'xlsx', 'html'])}"
    )


def place_url(url: str, chance: random.Random) -> Any:
    """Return a JSON value that holds an address where Gradio may look for a file."""
    value: Any = {"path": url}
    if chance.random() < 0.8:
        value["meta"] = chance.choice([{"_type": "gradio.FileData"}, {"_type": "gradio.ListFiles"}, {}, None, []])
    if chance.random() < 0.3:
        value["url"] = url
    if chance.random() < 0.2:
        value["path"] = chance.choice([None, "", "x.csv", [url], {"path": url}])
    if chance.random() < 0.2:
        value["orig_name"] = url
    if chance.random() < 0.1:
        value["is_stream"] = True
    match chance.randrange(6):
        case 0:
            return [value, value]
        case 1:
            return {"value": value, "__type__": "update"}
        case 2:
            return {"files": [value], "text": url}
        case 3:
            return url
        case _:
            return value


@contextmanager
def served_client() -> Iterator[Any]:
    """Yield a client of the app in this process, behind its protection."""
    from gradio.routes import App
    from starlette.testclient import TestClient

    import app
    from quiz.store import Store
    from sentiment_gru.web.middleware import protection
    from sentiment_gru.web.settings import Settings

    with TemporaryDirectory() as folder:
        blocks = app.build_app(store=Store(f"sqlite:///{folder}/quiz.sqlite3"))
        served = App.create_app(blocks, app_kwargs={"middleware": protection(LIMITS.megabytes or 0, Settings.read())})
        with TestClient(served, raise_server_exceptions=False) as client:
            client.get("/gradio_api/startup-events")
            yield client
