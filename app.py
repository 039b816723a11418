"""GRU Sentiment Studio in the browser; the entry point of Hugging Face Spaces.

    python app.py
    python app.py --mcp     # the endpoints are MCP tools, too

The environment variables are described in sentiment_gru/web/server.py.
"""

from sentiment_gru.web.page import build_app, launch_settings, live_card, live_link
from sentiment_gru.web.server import main

__all__ = ["build_app", "launch_settings", "live_card", "live_link", "main"]

if __name__ == "__main__":
    main()
