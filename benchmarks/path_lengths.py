"""Count the product's Python files that one event passes through in the served app.

    python benchmarks/path_lengths.py     # prints the files; writes benchmarks/results/path_lengths.json

Two events are profiled: a text that is classified, and an answer to a question of the quiz. The app runs in this
process with its middleware, and a visitor sends the events over HTTP. Both are sent once before, so that modules
imported and tables created at first use are not counted. Templates and generated code are not counted either.
"""

import json
import os
import random
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

REPOSITORY = Path(__file__).parent.parent
RESULT = REPOSITORY / "benchmarks" / "results" / "path_lengths.json"
PRODUCT = (str(REPOSITORY / "app.py"), str(REPOSITORY / "sentiment_gru"), str(REPOSITORY / "quiz"))

sys.path.insert(0, str(REPOSITORY))

from benchmarks.visitors import Learner, open_page  # noqa: E402


class FileProfile:
    """Records the product's files whose functions are called while `record` runs, in any thread started later."""

    def __init__(self) -> None:
        """Start to observe new threads."""
        self._files: set[str] | None = None
        threading.setprofile(self._observe)

    def record(self, event: Callable[[], object]) -> list[str]:
        """Run an event; return the files, relative to the repository."""
        self._files = set()
        event()
        files, self._files = self._files, None
        return sorted(str(Path(file).relative_to(REPOSITORY)) for file in files)

    def _observe(self, frame: FrameType, event: str, argument: object) -> None:
        file = frame.f_code.co_filename
        if self._files is not None and event == "call" and file.endswith(".py") and file.startswith(PRODUCT):
            self._files.add(file)


def visit(address: str, profile: FileProfile) -> dict[str, list[str]]:
    """Return the files passed by a text that is classified, and by an answer to the quiz."""
    first, second = open_page(address), open_page(address)
    for page in (first, second):
        page.arrive()
        page.put("sentiment-text", "Not bad at all.")
    first.fire("sentiment-submit")
    Learner(first, random.Random(0)).answer()
    return {
        "text": profile.record(lambda: second.fire("sentiment-submit")),
        "answer": profile.record(Learner(second, random.Random(0)).answer),
    }


def write_result(paths: dict[str, list[str]]) -> None:
    """Print the files of each path and write them to `RESULT`."""
    for name, files in paths.items():
        print(f"{name}: {len(files)} files", *files, sep="\n  ")
    result = {name: {"count": len(files), "files": files} for name, files in paths.items()}
    RESULT.write_text(json.dumps({"script": "python benchmarks/path_lengths.py", **result}, indent=2) + "\n")


def main() -> None:
    """Serve the app in the main thread, and visit it from another one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tempfile.TemporaryDirectory()
    os.environ |= {"HOST": "127.0.0.1", "PORT": str(port), "DATABASE_URL": f"sqlite:///{folder.name}/quiz.sqlite3"}
    profile = FileProfile()

    import app

    def visit_and_stop() -> None:
        try:
            while socket.socket().connect_ex(("127.0.0.1", port)):
                threading.Event().wait(0.2)
            write_result(visit(f"http://127.0.0.1:{port}", profile))
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=visit_and_stop).start()
    app.main()


if __name__ == "__main__":
    main()
