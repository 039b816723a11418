"""GRU Sentiment Studio in the browser.

    python app.py
    python app.py --mcp     # its endpoints are MCP tools, too

Environment: HOST and PORT to listen on, MODEL (a checkpoint folder or Hub id), QUIZ_BANK (an answer bank), and
REPORT_URL (where visitors can report a failure).
"""

import argparse
import importlib.util
import logging
import os
import sys
from typing import Any, NoReturn

import gradio as gr

from quiz import Bank, BankError, load_bank
from quiz.quiz_tab import QUIZ_CSS, RADIO_SCRIPT, build_quiz_tab
from sentiment_gru.api_tab import build_api
from sentiment_gru.batch_tab import FILES_CSS, FILES_SCRIPT, LIMITS, build_batch_tab
from sentiment_gru.errors import SentimentError
from sentiment_gru.inside import INSIDE_CSS, INSIDE_SCRIPT
from sentiment_gru.loading import ClassifierLoader
from sentiment_gru.palette import palette_css
from sentiment_gru.sentiment_tab import SENTIMENT_CSS, SENTIMENT_SCRIPT, build_sentiment_tab
from studio.guard import add_failure_dialog, guard_handlers
from studio.lazy import build_when_opened
from studio.look import FAVICON, STUDIO_CSS, STUDIO_SCRIPT, theme

TITLE = "GRU Sentiment Studio"
DESCRIPTION = "Reads a text, says how it feels, and shows how sure it is."


def build_app(loader: ClassifierLoader | None = None, bank: Bank | None = None) -> gr.Blocks:
    """Build the page, by default with the shipped checkpoint and answer bank.

    Raises:
        CheckpointError: the shipped checkpoint is broken.
        BankError: the shipped answer bank is broken.
    """
    loader = loader or ClassifierLoader()
    bank = bank or load_bank()
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 3600)) as app:
        gr.HTML(f"<h1>{TITLE}</h1><p>{DESCRIPTION}</p>", apply_default_css=False, elem_id="studio-header")
        with gr.Tabs():
            with gr.Tab("Sentiment"):
                text = build_sentiment_tab(loader)
            with gr.Tab("Quiz"):
                build_quiz_tab(bank)
            with gr.Tab("Inside the GRU") as inside:
                build_when_opened(inside, lambda: _build_inside(inside, loader, text))
            with gr.Tab("Files"):
                build_batch_tab(loader)
        build_api(loader)
        add_failure_dialog()
    guard_handlers(app)
    return app.queue(api_open=False, max_size=64)


def _build_inside(tab: gr.Tab, loader: ClassifierLoader, text: gr.Textbox) -> None:
    from sentiment_gru.inside_tab import build_inside_tab  # nothing of it before the tab is opened

    build_inside_tab(tab, loader, text)


def launch_settings() -> dict[str, Any]:
    """Return the arguments of `launch`: where to listen, how to look, and nothing open that is not needed."""
    return {
        "server_name": os.getenv("HOST") or None,  # None leaves the choice to Gradio's own variable, as on Spaces
        "server_port": _port(),
        "theme": theme(),
        "css": palette_css() + STUDIO_CSS + SENTIMENT_CSS + QUIZ_CSS + INSIDE_CSS + FILES_CSS,
        "head": f'<meta name="description" content="{DESCRIPTION}">'
        f"{STUDIO_SCRIPT}{RADIO_SCRIPT}{SENTIMENT_SCRIPT}{INSIDE_SCRIPT}{FILES_SCRIPT}",
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
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        loader = ClassifierLoader(os.getenv("MODEL") or None)
        app = build_app(loader, load_bank(os.getenv("QUIZ_BANK") or None))
    except (BankError, SentimentError) as error:
        _refuse(error)
    try:
        app.launch(**launch_settings(), mcp_server=mcp, prevent_thread_lock=True)
    except OSError:
        _refuse("it cannot listen to HOST and PORT; is the port taken?")
    loader.start()
    app.block_thread()


if __name__ == "__main__":
    main()
