"""GRU Sentiment Studio in the browser.

    python app.py
    python app.py --mcp     # its endpoints are MCP tools, too

Environment: HOST and PORT to listen on, MODEL (a checkpoint folder or Hub id), QUIZ_BANK (an answer bank), DATABASE_URL
(where answers are kept), QUIZ_SECRET (what runs are signed with), HF_TOKEN and FEEDBACK_DATASET (where answers are
copied to), TEACHER_TOKEN (opens /teacher), REPORT_URL (where visitors can report a failure), RATE_FACTOR (multiplies
how much one address may ask for), and LOG_MESSAGES (1: the log may quote visitors).
"""

import argparse
import atexit
import importlib.util
import logging
import os
import signal
import sys
import threading
from typing import Any, NoReturn

import gradio as gr
from starlette.middleware import Middleware

from quiz import Bank, BankError, load_bank
from quiz.backup import open_store
from quiz.bank import SHIPPED_BANK, Live
from quiz.store import Store, StoreError
from quiz.tab import QUIZ_CSS, QUIZ_SCRIPT, build_quiz_memory, build_quiz_tab
from quiz.teacher import teacher_routes
from sentiment_gru.errors import SentimentError
from sentiment_gru.web.api import build_api
from sentiment_gru.web.files_tab import FILES_CSS, FILES_SCRIPT, LIMITS, build_batch_tab
from sentiment_gru.web.gradio_compat import (
    EconomicalBlocks,
    GuardedBlocks,
    add_failure_dialog,
    build_when_opened,
    launch,
)
from sentiment_gru.web.inside import INSIDE_CSS, INSIDE_SCRIPT
from sentiment_gru.web.links import inside_link, text_link
from sentiment_gru.web.middleware import WAITING, Capacity, protection
from sentiment_gru.web.model_loader import ClassifierLoader
from sentiment_gru.web.page import keep_few_heaps
from sentiment_gru.web.rate_limit import FeedbackLimit, SettingError
from sentiment_gru.web.sentiment_tab import SENTIMENT_CSS, SENTIMENT_SCRIPT, build_sentiment_tab
from sentiment_gru.web.theme import FAVICON, STUDIO_CSS, STUDIO_SCRIPT, palette_css, theme

TITLE = "GRU Sentiment Studio"
DESCRIPTION = "Reads a text, says how it feels, and shows how sure it is."
KEPT = (
    "What you type here is neither stored nor logged, and files are deleted within two hours. The quiz stores answers "
    "and feedback, under a random name."
)


class StudioBlocks(GuardedBlocks, EconomicalBlocks):
    """The page: its failures are told in words, and its events cost little."""


def build_app(
    loader: ClassifierLoader | None = None, bank: Bank | None = None, store: Store | None = None
) -> gr.Blocks:
    """Build the page, by default with the shipped checkpoint and answer bank, and the store of `DATABASE_URL`.

    Raises:
        CheckpointError: the shipped checkpoint is broken.
        BankError: the shipped answer bank is broken.
        StoreError: `DATABASE_URL` cannot be used.
    """
    loader = loader or ClassifierLoader()
    bank = bank or load_bank()
    with StudioBlocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 3600)) as app:
        gr.HTML(f"<h1>{TITLE}</h1><p>{DESCRIPTION}</p>", apply_default_css=False, elem_id="studio-header")
        memory = build_quiz_memory()
        with gr.Tabs():
            with gr.Tab("Sentiment"):
                text = build_sentiment_tab(loader)
            with gr.Tab("Quiz"):
                build_quiz_tab(
                    app,
                    bank,
                    store,
                    memory,
                    live_link=live_link,
                    load_classifier=loader.classifier,
                    may_send=FeedbackLimit(),
                )
            with gr.Tab("Inside the GRU") as inside:
                build_when_opened(inside, lambda: _build_inside(inside, loader, text))
            with gr.Tab("Files"):
                build_batch_tab(loader)
        gr.HTML(f"<p>{KEPT}</p>", apply_default_css=False, elem_id="studio-kept")
        build_api(loader)
        add_failure_dialog()
    return app.queue(api_open=False, max_size=WAITING)


def live_link(live: Live) -> str | None:
    """Return the address at which the app shows what an item of the quiz speaks of, or None if no tab does."""
    if live.tab == "inside" and live.panel:
        return inside_link(live.panel, live.text, live.token)
    return text_link(live.text, live.token) if live.tab == "sentiment" and live.text else None


def _build_inside(tab: gr.Tab, loader: ClassifierLoader, text: gr.Textbox) -> None:
    from sentiment_gru.web.inside.tab import build_inside_tab  # nothing of it before the tab is opened

    build_inside_tab(tab, loader, text)


def launch_settings() -> dict[str, Any]:
    """Return the arguments of `launch`: where to listen, how to look, and nothing open that is not needed."""
    return {
        "server_name": os.getenv("HOST") or None,  # None leaves the choice to Gradio's own variable, as on Spaces
        "server_port": _port(),
        "theme": theme(),
        "css": palette_css() + STUDIO_CSS + SENTIMENT_CSS + QUIZ_CSS + INSIDE_CSS + FILES_CSS,
        "head": f'<meta name="description" content="{DESCRIPTION}">'
        f"{STUDIO_SCRIPT}{QUIZ_SCRIPT}{SENTIMENT_SCRIPT}{INSIDE_SCRIPT}{FILES_SCRIPT}",
        "favicon_path": FAVICON,
        "footer_links": ["api"],
        "show_error": False,
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "max_file_size": f"{LIMITS.megabytes}mb",  # of each upload, which is open to whoever reaches the page
        "state_session_capacity": 1000,
    }


def _port() -> int | None:
    port = os.getenv("PORT")
    if port and not port.isdecimal():
        _refuse(f"PORT is {port!r}, which is no number")
    return int(port) if port else None


def _refuse(reason: object) -> NoReturn:
    sys.exit(f"{TITLE} cannot start: {reason}")


def main() -> None:
    """Serve the page, and load the model once the page can be reached."""
    parser = argparse.ArgumentParser(description=TITLE)
    parser.add_argument("--mcp", action="store_true", help="serve the endpoints as MCP tools, too")
    mcp = parser.parse_args().mcp
    if mcp and importlib.util.find_spec("mcp") is None:
        _refuse(f"--mcp needs one more package: pip install 'gradio[mcp]=={gr.__version__}'")
    keep_few_heaps()
    serving = threading.Event()
    # Registered first, so it runs last: a thread that computes outside of Python would abort the process at its end.
    atexit.register(lambda: serving.is_set() and os._exit(0))
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    bank_file = os.getenv("QUIZ_BANK") or SHIPPED_BANK
    try:
        loader = ClassifierLoader(os.getenv("MODEL") or None)
        bank, store = load_bank(bank_file), open_store()
        app = build_app(loader, bank, store)
        middleware = [*protection(LIMITS.megabytes), Middleware(Capacity, counts=lambda: loader.ended)]
        served = {"routes": teacher_routes(store, bank), "middleware": middleware}
    except BankError as error:
        _refuse(f"{error} (every problem, with its line: python -m quiz lint {bank_file})")
    except (SentimentError, StoreError, SettingError) as error:
        _refuse(error)
    try:
        launch(app, **launch_settings(), app_kwargs=served, mcp_server=mcp, prevent_thread_lock=True)
    except OSError:
        _refuse("it cannot listen to HOST and PORT; is the port taken?")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # in good order: the copy of the last answers is committed
    serving.set()
    loader.start()
    app.block_thread()


if __name__ == "__main__":
    main()
