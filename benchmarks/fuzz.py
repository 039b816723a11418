"""Feed the file parser and the API with what nobody would send, for a while, and tell what breaks them.

    python -m benchmarks.fuzz                        # 60 seconds each: files, bombs, the API, addresses of other hosts
    python -m benchmarks.fuzz --seconds 10 --seed 7  # what it feeds depends on the seed alone

An exception from this project's code, other than those it raises on purpose, is a crash: it is printed, its input is
kept in out/fuzz, and the exit code is 1.
"""

import argparse
import io
import logging
import os
import random
import sys
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.gradio_http import Page
from benchmarks.hostile import fuzz_bombs, fuzz_urls, served_client
from sentiment_gru.errors import SentimentError
from sentiment_gru.files.formats import read_table
from sentiment_gru.web.files_tab import LIMITS
from sentiment_gru.web.files_view import render_preview

REPOSITORY = Path(__file__).parent.parent
OUTPUT = REPOSITORY / "out" / "fuzz"
OURS = tuple(str(REPOSITORY / package) for package in ("sentiment_gru", "quiz"))
WRAPPER = str(REPOSITORY / "sentiment_gru" / "web" / "gradio_compat.py")
"""Surrounds what Gradio does with an input, so that its frames say nothing of where a fault is."""
ROWS = [
    ["id", "text", "label"],
    [1, 'a "great", film', "positive"],
    [2, "dull\nand long", "negative"],
    [3, None, "é😀"],
]
ODD = [
    None,
    True,
    0,
    -1,
    1e308,
    10**400,
    "",
    " ",
    "\0",
    "\ud800",
    "x" * 300_000,
    "=1+1",
    "<img src=x onerror=alert(1)>",
    [],
    [[]] * 50,
]
ODD += [
    {},
    {"path": "/etc/passwd"},
    {"path": "../app.py", "meta": {"_type": "gradio.FileData"}},
    {"__type__": "update"},
]
ODD += [{"run": "a.b", "credits": {"x": 1}}, ["A", "A", "Z"], "1/0", "1e999", "٣", {"value": "x"}]


def sample_files() -> dict[str, bytes]:
    """Return a small whole file of every kind, by suffix."""
    import openpyxl
    import pyarrow
    import pyarrow.parquet

    lines = [",".join(f'"{cell}"' for cell in row) for row in ROWS]
    workbook, book, parquet = openpyxl.Workbook(), io.BytesIO(), io.BytesIO()
    for row in ROWS:
        workbook.active.append(row)
    workbook.save(book)
    columns = dict(zip(ROWS[0], zip(*ROWS[1:], strict=True), strict=True))
    pyarrow.parquet.write_table(pyarrow.table({name: list(cells) for name, cells in columns.items()}), parquet)
    return {
        ".csv": "\r\n".join(lines).encode(),
        ".tsv": "\n".join(lines).replace(",", "\t").encode("utf-16"),
        ".txt": "one text\nanother é\n".encode("cp1252"),
        ".jsonl": b'{"id": 1, "text": "a film"}\n{"text": [1, {"a": null}], "more": 1e5}\n',
        ".xlsx": book.getvalue(),
        ".parquet": parquet.getvalue(),
    }


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Return bytes with a few changes: flipped, cut, repeated, or put in."""
    data = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        place, length = chance.randrange(len(data) + 1), chance.choice([1, 2, 8, 100])
        match chance.randrange(5):
            case 0:
                data[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[place : place + length]
            case 2:
                data[place:place] = data[place : place + length] * chance.choice([1, 3, 200])
            case 3:
                data[place:place] = chance.choice(
                    [b"\0", b'"', b"\xff\xff\xff\xff", b"1e999", b"\xed\xa0\x80", b"\r", b"&#0;", b"<"]
                )
            case _:
                del data[place:]
    return bytes(data)


def mutated_archive(content: bytes, chance: random.Random) -> bytes:
    """Return a whole archive with one entry changed inside: bytes changed from outside fail the checksum alone."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(result, "w") as target:
        chosen = chance.choice(source.namelist())
        for name in source.namelist():
            entry = source.read(name)
            target.writestr(name, mutated(entry, chance) if name == chosen else entry)
    return result.getvalue()


def fuzz_files(chance: random.Random, until: float) -> Iterator[tuple[BaseException, bytes]]:
    """Read mutated files until the time is over; yield what breaks."""
    samples = sample_files()
    with TemporaryDirectory() as folder:
        while time.monotonic() < until:
            suffix, content = chance.choice(list(samples.items()))
            mutate = mutated_archive if suffix == ".xlsx" and chance.random() < 0.7 else mutated
            data = mutate(content, chance)
            path = Path(folder, f"in{suffix if chance.random() < 0.9 else chance.choice(list(samples))}")
            path.write_bytes(data)
            try:
                read_whole(path)
            except SentimentError:
                pass
            except Exception as error:
                yield error, data


def read_whole(path: Path) -> None:
    """Do with a file what the Files tab does before it is scored."""
    table = read_table(path, LIMITS)
    render_preview(table, path.name)
    table.likely_text_column()
    for _ in table.content.read():
        pass


class Failures(logging.Handler):
    """Collects the exceptions that the app has logged and that came from our code."""

    def __init__(self) -> None:
        """Start with none."""
        super().__init__()
        self.found: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep an exception if one of its frames is ours."""
        error = record.exc_info[1] if record.exc_info else None
        frames = traceback.extract_tb(error.__traceback__) if error else []
        if error and any(frame.filename.startswith(OURS) and frame.filename != WRAPPER for frame in frames):
            self.found.append(error)


def fuzz_api(chance: random.Random, until: float) -> Iterator[tuple[BaseException, bytes]]:
    """Send odd payloads to every event until the time is over; yield what breaks."""
    failures = Failures()
    logger = logging.getLogger("sentiment_gru.web.responses")
    logger.addHandler(failures)
    logger.propagate = False
    with served_client() as client:
        page = Page(client, "fuzz")
        while time.monotonic() < until:
            event = chance.choice(page.events)
            page.session = f"fuzz-{chance.randrange(20)}"
            data = [odd(page.values.get(number), chance) for number in event["inputs"]]
            status, told = page.send(event, data)
            sent = repr((event["api_name"], event["id"], data)).encode("utf-8", "backslashreplace")
            if str(REPOSITORY) in told or "Traceback" in told:
                yield AssertionError(f"status {status} tells too much: {told[:500]}"), sent
            for error in failures.found:
                yield error, sent
            failures.found.clear()


def odd(value: Any, chance: random.Random) -> Any:
    """Return a value as the page has it, or another one; only what JSON can carry."""
    if chance.random() < 0.4:
        return value
    picked = chance.choice(ODD)
    return picked.encode("utf-8", "replace").decode() if isinstance(picked, str) else picked


def hunt(name: str, fuzz: Callable[..., Iterator[tuple[BaseException, bytes]]], seed: int, seconds: float) -> int:
    """Run one of them, print each kind of crash once, keep its input, and return how many kinds there were."""
    seen: set[str] = set()
    for error, data in fuzz(random.Random(seed), time.monotonic() + seconds):
        frames = traceback.extract_tb(error.__traceback__)
        kind = f"{type(error).__name__} at {frames[-1].filename}:{frames[-1].lineno}" if frames else str(error)
        if kind not in seen:
            seen.add(kind)
            OUTPUT.mkdir(parents=True, exist_ok=True)
            path = OUTPUT / f"{name}-{seed}-{len(seen)}"
            path.write_bytes(data)
            print("".join(traceback.format_exception(error)), f"input: {path}\n", sep="")
    print(f"{name}: {len(seen)} kinds of crash in {seconds:g} seconds, seed {seed}")
    return len(seen)


def main() -> None:
    """Fuzz all; the exit code is 1 after a crash."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="for each of files, bombs, API and addresses")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    chosen = parser.parse_args()
    os.environ |= {"RATE_FACTOR": "0", "LOG_MESSAGES": "1"}
    fuzzers = {"files": fuzz_files, "bombs": fuzz_bombs, "api": fuzz_api, "urls": fuzz_urls}
    crashes = [hunt(name, fuzz, chosen.seed, chosen.seconds) for name, fuzz in fuzzers.items()]
    sys.exit(1 if any(crashes) else 0)


if __name__ == "__main__":
    main()
