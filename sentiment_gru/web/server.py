"""Serve the app: `python app.py` in the repository, `gru-studio` where the package is installed.

    python app.py
    python app.py --mcp     # the endpoints are MCP tools, too

Environment variables: HOST and PORT (address to listen on), MODEL (a checkpoint folder or Hub id), QUIZ_BANK (an answer
bank), DATABASE_URL (store of answers), QUIZ_SECRET (signs unfinished quizzes), HF_TOKEN and FEEDBACK_DATASET (a copy of
the answers), TEACHER_TOKEN (opens /teacher), REPORT_URL (where visitors report failures), RATE_FACTOR (multiplies the
rate limits), and LOG_MESSAGES (1: exception messages, which may quote visitors, are logged).
"""

import argparse
import atexit
import ctypes
import importlib.util
import logging
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

import gradio as gr
from fastapi.exceptions import RequestValidationError

from quiz import BankError, load_bank
from quiz.backup import open_store
from quiz.bank import SHIPPED_BANK
from quiz.store import StoreError
from quiz.teacher import teacher_routes

from ..errors import SentimentError
from .files_tab import LIMITS
from .gradio_compat import find_katex, launch
from .middleware import protection, refuse_invalid
from .model_loader import ClassifierLoader
from .page import TITLE, build_app, launch_settings
from .rate_limit import DESCRIPTORS, LimitedProtocol, ProxiedProtocol
from .settings import SettingError, Settings, reveal

# Constants of <malloc.h>; see mallopt(3).
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
ARENAS = 2
TRIM_SECONDS = 5.0
MAPPED_BYTES = 256 * 1024  # a larger array is mapped by itself, and returned to the system when freed

BACKLOG = 128
"""Connections that asyncio accepts before it turns to other events; uvicorn's 2,048 would delay those."""
QUOTA_BYTES = 2_000_000_000
USE_SECONDS = 900.0
"""A file that was written or read within this time may be in use."""


def raise_descriptor_limit() -> int:
    """Raise the soft limit of file descriptors to at most `DESCRIPTORS`, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft


class UploadQuota:
    """Keep the files of a folder below a total size."""

    def __init__(self, folder: str | None, quota: int = QUOTA_BYTES, use_seconds: float = USE_SECONDS) -> None:
        """Take the folder, by default Gradio's, the total in bytes and how long a file counts as in use."""
        self._folder = Path(folder) if folder else Path(tempfile.gettempdir(), "gradio")
        self._quota, self._use_seconds = quota, use_seconds

    def make_room(self) -> bool:
        """Remove the oldest unused files while the total is above the quota; return whether it is below it now."""
        files = sorted(self._list_files())
        total = sum(size for _, size, _ in files)
        latest = time.time() - self._use_seconds
        for used, size, path in files:
            if total <= self._quota or used > latest:
                break
            path.unlink(missing_ok=True)
            total -= size
        return total <= self._quota

    def _list_files(self) -> list[tuple[float, int, Path]]:
        """Return when each file was last used, its bytes and its path."""
        files = []
        for path in self._folder.rglob("*"):
            try:
                status = path.stat()
            except FileNotFoundError:  # removed meanwhile
                continue
            if path.is_file():
                files.append((max(status.st_mtime, status.st_atime), status.st_size, path))
        return files


def limit_malloc_arenas() -> bool:
    """Let all threads share few malloc arenas; call this before they start. Return whether the C library can do so.

    By default glibc keeps an arena for every thread, each as large as it ever was.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(M_ARENA_MAX, ARENAS)) and bool(mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES))


def release_memory(seconds: float = TRIM_SECONDS) -> None:
    """Return freed memory to the system every few seconds, for as long as the process lives.

    Explanations leave many small freed blocks, over 100 MB, between blocks in use; glibc returns those only when asked;
    see malloc_trim(3). Other C libraries lack the function.
    """
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        while True:
            time.sleep(seconds)
            trim(0)


def main() -> None:
    """Read the command line and the environment, and serve the app."""
    parser = argparse.ArgumentParser(description=TITLE)
    parser.add_argument("--mcp", action="store_true", help="serve the endpoints as MCP tools, too")
    mcp = parser.parse_args().mcp
    if mcp and importlib.util.find_spec("mcp") is None:
        _refuse(f"--mcp needs one more package: pip install 'gradio[mcp]=={gr.__version__}'")
    try:
        serve(Settings.read(), mcp)
    except SettingError as error:
        _refuse(error)


def serve(settings: Settings, mcp: bool = False) -> None:
    """Serve the app until the process ends, and load the model once the page can be reached."""
    limit_malloc_arenas()
    raise_descriptor_limit()
    serving = threading.Event()
    # Registered first, so it runs last: a thread that computes outside of Python would abort the process at its end.
    atexit.register(lambda: serving.is_set() and os._exit(0))
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    bank_file = settings.quiz_bank or SHIPPED_BANK
    try:
        loader = ClassifierLoader(settings.model)
        bank = load_bank(bank_file)
        store = open_store(reveal(settings.database_url), reveal(settings.hf_token), settings.feedback_dataset)
        app = build_app(loader, bank, store, settings)
    except BankError as error:
        _refuse(f"{error} (every problem, with its line: python -m quiz lint {bank_file})")
    except (SentimentError, StoreError) as error:
        _refuse(error)
    app_kwargs: dict[str, Any] = {
        "routes": teacher_routes(store, bank, reveal(settings.teacher_token), find_katex()),
        "middleware": protection(
            LIMITS.megabytes or 0, settings, loader.ended, UploadQuota(settings.gradio_temp_dir).make_room
        ),
        "exception_handlers": {RequestValidationError: refuse_invalid},
    }
    uvicorn_settings = {"http": ProxiedProtocol if settings.behind_proxy else LimitedProtocol, "backlog": BACKLOG}
    try:
        launch(
            app,
            uvicorn_settings,
            **launch_settings(settings),
            app_kwargs=app_kwargs,
            mcp_server=mcp,
            prevent_thread_lock=True,
        )
    except OSError:
        ports = f"PORT {settings.port}" if settings.port else "any of Gradio's ports, 7860 to 7959"
        _refuse(f"the server cannot listen on {ports}; is the port taken?")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # an orderly end: the copy of the last answers is committed
    serving.set()
    threading.Thread(target=release_memory, name="release-memory", daemon=True).start()
    loader.start()
    app.block_thread()


def _refuse(reason: object) -> NoReturn:
    sys.exit(f"{TITLE} cannot start: {reason}")
