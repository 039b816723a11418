"""What the tab "Inside the GRU" shows: the chapter, the cell, the trained units, and what was measured."""

from pathlib import Path

_HERE = Path(__file__).parent.parent / "static"
# For launch(css=...) and launch(head=...), which cannot wait for the tab; all of it is about elements of it.
INSIDE_CSS = (_HERE / "inside_tab.css").read_text(encoding="utf-8")
INSIDE_SCRIPT = f"<script>{(_HERE / 'inside_tab.js').read_text(encoding='utf-8')}</script>"
