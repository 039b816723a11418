"""The look of the page: theme, colours, style sheet, script and icon, for the arguments of `launch`."""

import gradio as gr

from .gradio_compat import LocalFont
from .rendering import PACKAGE, read_static, render_script

# Each colour on the light and on the dark page.
COLOURS = {
    "negative": ("#b35806", "#f0a35e"),
    "neutral": ("#66666a", "#b4b4b8"),
    "positive": ("#2166ac", "#7db3e3"),
    # Backgrounds of words: the same in both, as the colour of the words changes instead.
    "negative-fill": ("#b35806", "#b35806"),
    "positive-fill": ("#2166ac", "#2166ac"),
    "gate-r": ("#762a83", "#c9a0dc"),
    "gate-z": ("#1b7837", "#7fcf8f"),
    "gate-n": ("#b0186c", "#f29ac8"),
    "gate-h": ("#3f4248", "#d8d8d6"),
}


FAVICON = PACKAGE / "static" / "favicon.svg"
STUDIO_CSS = read_static("studio.css")
STUDIO_SCRIPT = render_script("studio.js")


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
