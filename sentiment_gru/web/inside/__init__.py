"""The tab "Inside the GRU": the chapter, the stage with its cards, and measurements of three cells."""

from ..rendering import read_static, render_script

# launch(css=...) and launch(head=...) need both before the tab is built; they concern its elements only.
INSIDE_CSS = read_static("inside_tab.css") + read_static("stage.css")
INSIDE_SCRIPT = render_script("inside_tab.js") + render_script("stage.js") + render_script("stage_cards.js")
