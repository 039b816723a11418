"""The tab "Inside the GRU": the chapter, one cell, the units of the trained model, and measurements of three cells."""

from ..rendering import read_static

# launch(css=...) and launch(head=...) need both before the tab is built; they concern its elements only.
INSIDE_CSS = read_static("inside_tab.css")
INSIDE_SCRIPT = f"<script>{read_static('inside_tab.js')}</script>"
