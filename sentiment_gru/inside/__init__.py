"""What the tab "Inside the GRU" shows: the chapter, the cell, the trained units, and what was measured. No Gradio."""
