"""The endpoints as MCP tools, called by an MCP client.

gradio[mcp] demands an older pydantic than the app; .ci/run puts the client's packages into a folder of their own:

    python -m pip install --no-deps --target .venv/mcp mcp==1.30.0 httpx-sse==0.4.3 sse-starlette==3.7.0
    PYTHONPATH=.venv/mcp python -m pytest tests/integration/test_mcp.py
"""

import asyncio
import json
from typing import Any

import pytest

from benchmarks.app_server import serve

mcp = pytest.importorskip("mcp")
pytestmark = pytest.mark.filterwarnings("ignore")  # those of the packages above

TEXTS = ["I loved it.", "Dull and awful."]
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("classify", {"text": "I loved it."}),
    ("classify", {"texts": TEXTS}),
    ("score_file", {"rows": TEXTS}),
    ("score_file", {"csv_text": "review,id\nI loved it.,1\nDull and awful.,2\n", "output_format": "jsonl"}),
    ("score_file", {"file": "/etc/passwd"}),
    ("score_file", {"file": "http://127.0.0.1:7860/reviews.csv"}),
    ("score_file", {}),
]


async def call_tools(address: str) -> list[tuple[bool, str]]:
    """Return, for each of `CALLS`, whether it failed, and the text of its answer."""
    from mcp.client.streamable_http import streamablehttp_client

    answers = []
    async with (
        streamablehttp_client(f"{address}/gradio_api/mcp/", timeout=300) as (read, write, _),
        mcp.ClientSession(read, write) as session,
    ):
        await session.initialize()
        for name, arguments in CALLS:
            answer = await session.call_tool(name, arguments)
            answers.append((answer.isError, "".join(part.text for part in answer.content)))
    return answers


def test_an_agent_classifies_texts_and_scores_tables_without_an_upload() -> None:
    with serve(("app.py", "--mcp")) as address:
        one, many, rows, table, *refused = asyncio.run(call_tools(address))
    assert not any(failed for failed, _ in (one, many, rows, table))
    assert "'label': 'positive'" in one[1]
    assert many[1].index("'label': 'positive'") < many[1].index("'label': 'negative'")
    assert "I loved it.,positive," in rows[1]
    assert json.dumps({"review": "I loved it.", "id": "1", "label": "positive"})[:-1] in table[1]
    assert [failed for failed, _ in refused] == [True] * 3
    assert all("csv_text or rows" in message for _, message in refused)
