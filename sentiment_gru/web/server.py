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
import signal
import sys
import threading
from typing import Any, NoReturn

import gradio as gr
from fastapi.exceptions import RequestValidationError

from quiz import BankError, load_bank
from quiz.backup import open_store
from quiz.bank import SHIPPED_BANK
from quiz.store import StoreError
from quiz.teacher import teacher_routes

from ..errors import SentimentError
from .connections import LimitedProtocol, ProxiedProtocol, raise_descriptor_limit
from .files_tab import LIMITS
from .gradio_compat import launch
from .middleware import protection, refuse_invalid
from .model_loader import ClassifierLoader
from .page import TITLE, build_app, launch_settings
from .settings import SettingError, Settings, reveal
from .uploads import UploadQuota

# Constants of <malloc.h>; see mallopt(3).
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
ARENAS = 2
MAPPED_BYTES = 256 * 1024  # a larger array is mapped by itself, and returned to the system when freed


def limit_malloc_arenas() -> bool:
    """Let all threads share few malloc arenas; call this before they start. Return whether the C library can do so.

    By default glibc keeps an arena for every thread, each as large as it ever was.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(M_ARENA_MAX, ARENAS)) and bool(mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES))


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
        "routes": teacher_routes(store, bank, reveal(settings.teacher_token)),
        "middleware": protection(
            LIMITS.megabytes or 0, settings, lambda: loader.ended, UploadQuota(settings.gradio_temp_dir).make_room
        ),
        "exception_handlers": {RequestValidationError: refuse_invalid},
    }
    protocol = {"http": ProxiedProtocol if settings.behind_proxy else LimitedProtocol}
    try:
        launch(
            app,
            protocol,
            **launch_settings(settings),
            app_kwargs=app_kwargs,
            mcp_server=mcp,
            prevent_thread_lock=True,
        )
    except OSError:
        _refuse("the server cannot listen on HOST and PORT; is the port taken?")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # an orderly end: the copy of the last answers is committed
    serving.set()
    loader.start()
    app.block_thread()


def _refuse(reason: object) -> NoReturn:
    sys.exit(f"{TITLE} cannot start: {reason}")
