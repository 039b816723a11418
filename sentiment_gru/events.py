"""How the quick events of every tab are asked: unqueued, without a spinner, for the page alone. For `**`."""

from typing import Any

LIGHT: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
# What comes while an answer is awaited is asked next: by default Gradio would drop it, or let the answers overtake.
LAST: dict[str, Any] = {**LIGHT, "trigger_mode": "always_last"}
