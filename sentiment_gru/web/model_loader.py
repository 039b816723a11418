"""Load the classifier in the background, as that takes seconds."""

import asyncio
import base64
import logging
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from ..checkpoint import check_folder, resolve
from ..errors import CheckpointError
from ..model_config import MULTI_LABEL

if TYPE_CHECKING:
    from ..classifier import SentimentClassifier
    from ..results import Prediction


logger = logging.getLogger(__name__)
IMAGE_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}
Result = TypeVar("Result")


class ClassifierLoader:
    """A classifier that is loaded once, in a thread of its own, by `start` or by the first use.

    Attributes:
        folder: The folder of the checkpoint.
        config: The contents of its config.json.
    """

    def __init__(self, model: str | Path | None = None) -> None:
        """Check a checkpoint without importing torch.

        Args:
            model: A checkpoint folder or a Hub id; None for the shipped checkpoint.

        Raises:
            CheckpointError: The checkpoint is missing or invalid, or gives a text several labels.
        """
        self.folder = resolve(model)
        self.config = check_folder(self.folder)
        if self.config.get("problem_type") == MULTI_LABEL:
            raise CheckpointError(
                f"{self.folder}: the app shows one label a text, but this model gives several; use it on the command"
                " line, with --file, or in Python"
            )
        self._classifier: Future[SentimentClassifier] = Future()
        self._lock = threading.Lock()
        self._explaining: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._explainer: threading.Thread | None = None

    def start(self) -> None:
        """Start to load the classifier, if that has not been done."""
        with self._lock:
            if self._classifier.running() or self._classifier.done():
                return
            self._classifier.set_running_or_notify_cancel()  # no waiting visitor can cancel it now
        threading.Thread(target=self._load, name="load-classifier", daemon=True).start()

    def ended(self) -> bool:
        """Return whether loading has succeeded or failed."""
        return self._classifier.done()

    async def ready(self) -> None:
        """Wait until loading has succeeded or failed, without blocking a thread."""
        self.start()
        await asyncio.gather(asyncio.wrap_future(self._classifier), return_exceptions=True)

    def __call__(self, texts: Sequence[str]) -> "list[Prediction]":
        """Classify texts; wait for the classifier, and raise the error of loading if it failed."""
        return self.classifier()(texts)

    def classifier(self) -> "SentimentClassifier":
        """Return the classifier; wait for it, and raise the error of loading if it failed."""
        self.start()
        if error := self._classifier.exception():
            raise error.with_traceback(None)  # raised for every visitor: the traceback would grow each time
        return self._classifier.result()

    def explaining(self, compute: Callable[[], Result]) -> Result:
        """Return what a function returns, or raise what it raises, computed in the one thread of explanations.

        PyTorch keeps about 3 MB for every thread that has used it, and Gradio calls events in up to 40 threads.
        """
        with self._lock:
            if self._explainer is None:  # a daemon, so that no explanation delays the end of the process
                self._explainer = threading.Thread(target=self._explain, name="explain", daemon=True)
                self._explainer.start()
        future: Future[Result] = Future()
        self._explaining.put((future, compute))
        return future.result()

    def card(self) -> str:
        """Return the checkpoint's model card in Markdown, without its front matter; empty if it has none.

        An image in the checkpoint folder is embedded, as the app serves no files. Any other image is replaced by its
        description, as the page sends no requests to other servers.
        """
        path = self.folder / "README.md"
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        text = re.sub(r"\A---\n.*?^---\n", "", text, flags=re.DOTALL | re.MULTILINE)
        return re.sub(r"!\[([^]]*)\]\(([^)]*)\)", self._image, text).strip()

    def _image(self, match: re.Match[str]) -> str:
        """Return an image with its bytes if it is in the checkpoint folder, else its description."""
        description, target = match.groups()
        path = (self.folder / unquote(target)).resolve()
        kind = IMAGE_TYPES.get(path.suffix.lower())
        if kind is None or not path.is_relative_to(self.folder.resolve()) or not path.is_file():
            return f"*{description}*"
        return f"![{description}](data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()})"

    def _explain(self) -> None:
        while True:
            future, compute = self._explaining.get()
            try:
                future.set_result(compute())
            except BaseException as error:
                future.set_exception(error)
            del future, compute  # what they hold is not kept until the next explanation

    def _load(self) -> None:
        try:
            from ..classifier import SentimentClassifier

            # More threads do not speed up one text, and visitors would compete for the cores.
            self._classifier.set_result(SentimentClassifier.from_pretrained(self.folder, threads=1))
        except BaseException as error:
            logger.exception("The classifier in %s could not be loaded", self.folder)
            self._classifier.set_exception(error)
