"""The page: the tabs of the app and of the quiz, and the arguments of `launch`."""

from typing import Any

import gradio as gr

from quiz import Bank, load_bank
from quiz.bank import Live
from quiz.store import Store
from quiz.tab import QUIZ_CSS, QUIZ_SCRIPT, build_quiz_memory, build_quiz_tab
from quiz.views import LiveViews

from .admission import FUNCTION_SHARE, SHARE, WAITING
from .api import build_api
from .charts import COLOURS
from .files_tab import FILES_CSS, FILES_SCRIPT, LIMITS, build_files_tab
from .gradio_compat import (
    GuardedBlocks,
    LocalFont,
    SharedQueueBlocks,
    add_failure_dialog,
    build_when_opened,
    load_when_opened,
)
from .inside import INSIDE_CSS, INSIDE_SCRIPT
from .model_loader import ClassifierLoader
from .rate_limit import CLASS_RUNS, FEEDBACK, CallLimit, client_address
from .rendering import PACKAGE, inside_link, read_static, render, render_script, text_link
from .sentiment_tab import SENTIMENT_CSS, SENTIMENT_SCRIPT, build_sentiment_tab
from .settings import Settings, reveal

TITLE = "GRU Sentiment Studio"
DESCRIPTION = "Reads a text, says how it feels, and shows how sure it is."
STORAGE_NOTICE = (
    "What you type here is neither stored nor logged, and files are deleted within two hours. The quiz stores answers "
    "and feedback under a random name, and in a class the nickname."
)

FAVICON = PACKAGE / "static" / "favicon.svg"
STUDIO_CSS = read_static("studio.css")
STUDIO_SCRIPT = render_script("studio.js")


class StudioBlocks(GuardedBlocks, SharedQueueBlocks):
    """The page: failures end in a report, and one address cannot fill the queue."""


def build_app(
    loader: ClassifierLoader | None = None,
    bank: Bank | None = None,
    store: Store | None = None,
    settings: Settings | None = None,
) -> gr.Blocks:
    """Build the page.

    Args:
        loader: Loads the classifier; by default the shipped checkpoint.
        bank: The questions of the quiz; by default the shipped answer bank.
        store: The store of answers; by default that of DATABASE_URL.
        settings: The settings of the app; by default those of the environment.

    Raises:
        CheckpointError: The shipped checkpoint is broken.
        BankError: The shipped answer bank is broken.
        StoreError: DATABASE_URL cannot be used.
        SettingError: An environment variable has a value that is not allowed.
    """
    settings = settings or Settings.read()
    loader = loader or ClassifierLoader()
    bank = bank or load_bank()
    store = store or Store(reveal(settings.database_url))
    may_send, may_begin = (
        CallLimit(allowance, settings.rate_factor, settings.behind_proxy) for allowance in (FEEDBACK, CLASS_RUNS)
    )
    with StudioBlocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 3600)) as app:
        header = render("page_header.html", title=TITLE, description=DESCRIPTION)
        gr.HTML(header, apply_default_css=False, elem_id="studio-header")
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
                    live=LiveViews(live_link, live_card),
                    load_classifier=loader.classifier,
                    may_send=may_send,
                    may_begin=may_begin,
                    secret=reveal(settings.quiz_secret),
                )
            with gr.Tab("Inside the GRU") as inside:
                build_when_opened(inside, lambda: _build_inside(inside, loader, text))
            with gr.Tab("Files"):
                build_files_tab(loader)
        memory.render()  # after the tabs, as its script is large, and the first tab does not need it
        footer = render("page_footer.html", notice=STORAGE_NOTICE)
        gr.HTML(footer, apply_default_css=False, elem_id="studio-kept")
        build_api(loader)
        add_failure_dialog()
        load_when_opened(app)
    app.queue(api_open=False, max_size=WAITING)
    app.share_queue(SHARE, FUNCTION_SHARE, lambda scope: client_address(scope, settings.behind_proxy))
    return app


def live_link(live: Live) -> str | None:
    """Return the address at which the app shows the subject of a quiz item, or None if no tab shows it."""
    if live.tab == "inside" and live.panel:
        return inside_link(live.panel, live.text, live.token)
    return text_link(live.text, live.token) if live.tab == "sentiment" and live.text else None


def live_card(live: Live) -> str | None:
    """Return the card that shows the subject of a quiz item inside the question, or None if none can."""
    from .inside.figure_cards import render_live_card  # imported when the first question with a card is answered

    return render_live_card(live.panel, live.values) if live.panel else None


def _build_inside(tab: gr.Tab, loader: ClassifierLoader, text: gr.Textbox) -> None:
    from .inside.tab import build_inside_tab  # imported when the tab is opened

    build_inside_tab(tab, loader, text)


def launch_settings(settings: Settings | None = None) -> dict[str, Any]:
    """Return the arguments of `launch`: the address, the looks, and everything closed that is not needed."""
    settings = settings or Settings.read()
    return {
        "server_name": settings.host,  # None leaves the choice to Gradio's own variable, as on Spaces
        "server_port": settings.port,
        "theme": theme(),
        "css": palette_css() + STUDIO_CSS + SENTIMENT_CSS + QUIZ_CSS + INSIDE_CSS + FILES_CSS,
        "head": f"{render('page_head.html', description=DESCRIPTION)}"
        f"{STUDIO_SCRIPT}{QUIZ_SCRIPT}{SENTIMENT_SCRIPT}{INSIDE_SCRIPT}{FILES_SCRIPT}",
        "favicon_path": FAVICON,
        "footer_links": ["api"],
        "show_error": False,
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "max_file_size": f"{LIMITS.megabytes}mb",  # of each upload, which anyone who reaches the page can send
        "state_session_capacity": 1000,
    }


def palette_css() -> str:
    """Return the colours as CSS variables, such as `var(--positive)`."""
    light, dark = ("".join(f"--{name}: {pair[shade]};" for name, pair in COLOURS.items()) for shade in (0, 1))
    return f":root {{{light}}}\n.dark {{{dark}}}\n"


def theme() -> gr.themes.Base:
    """Return Gradio's Monochrome theme without borders and shadows; the accent colour is defined in studio.css."""
    light_and_dark = {
        "body_background_fill": ("#fbfaf8", "#17181b"),
        "body_text_color": ("#1c1c1e", "#ececea"),
        "body_text_color_subdued": ("#5f5f63", "#a9a9ad"),
        "border_color_primary": ("#dddbd6", "#3a3b40"),
        "block_background_fill": ("transparent", "transparent"),
        "block_info_text_color": ("*body_text_color_subdued", "*body_text_color_subdued"),
        "block_shadow": ("none", "none"),
        "input_background_fill": ("#ffffff", "#202126"),
        "input_background_fill_focus": ("#ffffff", "#202126"),
        "input_border_color": ("#8b8b8f", "#75767c"),
        "input_border_color_focus": ("var(--studio-accent)", "var(--studio-accent)"),
        "input_shadow_focus": ("0 0 0 1px var(--studio-accent)", "0 0 0 1px var(--studio-accent)"),
        "button_primary_background_fill": ("var(--studio-accent)", "var(--studio-accent)"),
        "button_primary_background_fill_hover": ("var(--studio-accent-hover)", "var(--studio-accent-hover)"),
        "button_primary_border_color": ("transparent", "transparent"),
        "button_primary_text_color": ("#ffffff", "#10141a"),
        "button_secondary_background_fill": ("*input_background_fill", "*input_background_fill"),
        "button_secondary_background_fill_hover": ("*input_background_fill", "*input_background_fill"),
        "button_secondary_border_color": ("*input_border_color", "*input_border_color"),
        "button_secondary_border_color_hover": ("var(--studio-accent)", "var(--studio-accent)"),
        "button_secondary_text_color": ("*body_text_color", "*body_text_color"),
        "button_secondary_text_color_hover": ("*body_text_color", "*body_text_color"),
        "checkbox_background_color": ("#ffffff", "#202126"),
        "checkbox_background_color_selected": ("var(--studio-accent)", "var(--studio-accent)"),
        "checkbox_border_color": ("#8b8b8f", "#8f9096"),
        "checkbox_border_color_selected": ("var(--studio-accent)", "var(--studio-accent)"),
        "checkbox_label_background_fill": ("transparent", "transparent"),
        "checkbox_label_background_fill_hover": ("transparent", "transparent"),
        "checkbox_label_background_fill_selected": ("transparent", "transparent"),
        "checkbox_label_border_color": ("*border_color_primary", "*border_color_primary"),
        "checkbox_label_border_color_selected": ("var(--studio-accent)", "var(--studio-accent)"),
        "checkbox_label_text_color_selected": ("*body_text_color", "*body_text_color"),
        "color_accent": ("var(--studio-accent)", None),
        "link_text_color": ("var(--studio-accent)", "var(--studio-accent)"),
    }
    one_value = {
        "block_border_width": "0px",
        "block_padding": "0px",
        "button_border_width": "1px",
        "input_border_width": "1px",
        "checkbox_label_border_width": "1px",
        "checkbox_label_padding": "0.5rem 0.9rem",
        "layout_gap": "1.25rem",
    }
    dark = {f"{name}_dark": pair[1] for name, pair in light_and_dark.items() if pair[1]}
    light = {name: pair[0] for name, pair in light_and_dark.items()}
    return gr.themes.Monochrome(
        # Some of the fonts that Gradio ships are incomplete: Lora lacks Latin letters, IBM Plex the weight 600.
        font=[LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
        font_mono=[LocalFont("IBM Plex Mono", weights=(400,)), "ui-monospace", "monospace"],
        radius_size=gr.themes.sizes.radius_md,
    ).set(**light, **dark, **one_value)
