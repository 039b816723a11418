"""A copy of attempts and feedback in a private dataset on the Hugging Face Hub, for Spaces, whose disk is not kept.

With HF_TOKEN and FEEDBACK_DATASET set, what is stored is also appended to a JSON lines file, one for each process, and
the file is committed every few minutes and at the end. What the dataset already has is put into the store at the
start. Without a network the quiz goes on, and the copy follows later.
"""

import atexit
import logging
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from time import sleep
from typing import TYPE_CHECKING
from uuid import uuid4

from .records import Attempt, Feedback, read_folder, to_line
from .store import Store

if TYPE_CHECKING:
    from huggingface_hub import CommitScheduler, HfApi

MINUTES = 5.0
LAST_TRIES = 3

logger = logging.getLogger(__name__)


def open_store(url: str | None = None, token: str | None = None, dataset: str | None = None) -> Store:
    """Return the store that the environment asks for: with a copy if HF_TOKEN and FEEDBACK_DATASET are set.

    Raises:
        StoreError: DATABASE_URL is wrong.
    """
    token, dataset = token or os.getenv("HF_TOKEN"), dataset or os.getenv("FEEDBACK_DATASET")
    if not (token and dataset):
        return Store(url)
    from huggingface_hub import HfApi

    store = CopyingStore(dataset, HfApi(token=token), url)
    store.start()
    return store


class CopyingStore(Store):
    """A store that keeps a copy of all that it records in a private dataset."""

    def __init__(self, dataset: str, api: "HfApi", url: str | None = None, minutes: float = MINUTES) -> None:
        """Prepare the copy; `start` connects it.

        Args:
            dataset: Id of the dataset, made if it is missing. Nothing is sent to one that is public.
            api: Client of the Hub.
            url: As for `Store`.
            minutes: Time between commits.
        """
        super().__init__(url)
        self._dataset, self._api, self._minutes = dataset, api, minutes
        self._folder = Path(tempfile.mkdtemp(prefix="quiz-copy-"))
        self._file = self._folder / f"{uuid4().hex}.jsonl"
        self._scheduler: CommitScheduler | None = None
        self._ended = Event()

    def start(self) -> None:
        """Connect in the background, again and again until it succeeds, and commit what is left at the end."""
        Thread(target=self._connect_at_last, daemon=True).start()
        atexit.register(self.finish)

    def record(self, attempt: Attempt) -> Attempt:
        """Store an attempt as `Store` does, and put what is stored into the copy."""
        kept = super().record(attempt)
        self._append(kept, datetime.now(UTC))
        return kept

    def record_feedback(self, feedback: Feedback, time: datetime | None = None) -> None:
        """Store feedback as `Store` does, and put it into the copy."""
        time = time or datetime.now(UTC)
        super().record_feedback(feedback, time)
        self._append(feedback, time)

    def connect(self) -> None:
        """Take in what the dataset has, and begin to commit, unless the dataset is public.

        Raises:
            Exception: the Hub cannot be reached, or refuses.
        """
        from huggingface_hub import CommitScheduler

        name = self._dataset
        self._api.create_repo(name, repo_type="dataset", private=True, exist_ok=True)
        if not self._api.repo_info(name, repo_type="dataset").private:
            logger.error("FEEDBACK_DATASET %s is public: nothing is sent to it", name)
            return
        with tempfile.TemporaryDirectory() as past:
            self._api.snapshot_download(name, repo_type="dataset", local_dir=past, allow_patterns="*.jsonl")
            self.take_in(read_folder(Path(past)))
        self._scheduler = CommitScheduler(
            repo_id=name,
            repo_type="dataset",
            folder_path=self._folder,
            every=self._minutes,
            private=True,
            hf_api=self._api,
        )

    def finish(self) -> None:
        """Commit what is left, with a few tries."""
        self._ended.set()
        for wait in range(LAST_TRIES):
            sleep(wait)
            try:
                if self._scheduler is None:
                    self.connect()
                if self._scheduler is not None:
                    self._scheduler.push_to_hub()
                return
            except Exception as error:
                logger.warning("The copy on the Hub lacks the last answers: %s", error)

    def _connect_at_last(self) -> None:
        while not self._ended.is_set():
            try:
                self.connect()
                return
            except Exception as error:
                logger.warning("There is no copy on the Hub yet: %s", error)
                self._ended.wait(self._minutes * 60)

    def _append(self, record: Attempt | Feedback, time: datetime) -> None:
        try:
            with self._file.open("ab", buffering=0) as file:  # one write, which no commit sees half of
                file.write(to_line(record, time))
        except OSError as error:
            logger.warning("The copy lacks an answer: %s", error)
