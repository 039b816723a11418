"""A copy of the store in a private dataset on the Hugging Face Hub, for Spaces, whose disk is not kept.

If HF_TOKEN and FEEDBACK_DATASET are set, each stored record is also appended to a JSON Lines file, one per process,
which is committed to the dataset every few minutes and at exit. At startup, the records of the dataset are added to the
store. Without a network the quiz works, and the copy is made later.
"""

import atexit
import logging
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from time import sleep
from typing import TYPE_CHECKING
from uuid import uuid4

from .records import Attempt, Feedback, Record, read_folder, to_line
from .store import Store

if TYPE_CHECKING:
    from huggingface_hub import CommitScheduler, HfApi

COMMIT_MINUTES = 5.0
EXIT_TRIES = 3

logger = logging.getLogger(__name__)


def open_store(url: str | None = None, token: str | None = None, dataset: str | None = None) -> Store:
    """Return a store, with a copy on the Hub if a token and a dataset are given.

    Args:
        url: As for `Store`.
        token: A token of the Hub that may write to the dataset.
        dataset: As for `CopyingStore`.

    Raises:
        StoreError: The URL is not valid.
    """
    if not (token and dataset):
        return Store(url)
    from huggingface_hub import HfApi

    store = CopyingStore(dataset, HfApi(token=token), url)
    store.start()
    return store


class CopyingStore(Store):
    """A store that copies every record to a private dataset."""

    def __init__(self, dataset: str, api: "HfApi", url: str | None = None, minutes: float = COMMIT_MINUTES) -> None:
        """Prepare the copy; `start` connects to the Hub.

        Args:
            dataset: Id of the dataset, created if it does not exist. Nothing is sent to a public one.
            api: Client of the Hub.
            url: As for `Store`.
            minutes: Time between commits.
        """
        super().__init__(url)
        self._dataset, self._api, self._minutes = dataset, api, minutes
        self._folder = Path(tempfile.mkdtemp(prefix="quiz-copy-"))
        self._file = self._folder / f"{uuid4().hex}.jsonl"
        self._scheduler: CommitScheduler | None = None
        self._finishing = Event()
        self._restored = False

    @property
    def is_restored(self) -> bool:
        """True once the records of the dataset are in the database, or will not be added."""
        return self._restored

    def start(self) -> None:
        """Connect in the background, retrying until it succeeds, and commit the remaining records at exit."""
        Thread(target=self._connect_with_retries, daemon=True).start()
        atexit.register(self.finish)

    def record(self, attempt: Attempt) -> Attempt:
        """Store an attempt as `Store` does, and copy the stored one."""
        recorded = super().record(attempt)
        self.copy(recorded, datetime.now(UTC))
        return recorded

    def record_feedback(self, feedback: Feedback, time: datetime | None = None) -> None:
        """Store feedback as `Store` does, and copy it."""
        time = time or datetime.now(UTC)
        super().record_feedback(feedback, time)
        self.copy(feedback, time)

    def copy(self, record: Record, time: datetime) -> None:
        """Add a record that was stored to the copy."""
        try:
            with self._file.open("ab", buffering=0) as file:  # in one write, so that a commit never has part of a line
                file.write(to_line(record, time))
        except OSError as error:
            logger.warning("The copy lacks an answer: %s", error)

    def connect(self) -> None:
        """Add the records of the dataset to the store and start to commit, unless the dataset is public.

        Raises:
            Exception: The Hub is unreachable, or refuses access.
        """
        from huggingface_hub import CommitScheduler

        name = self._dataset
        self._api.create_repo(name, repo_type="dataset", private=True, exist_ok=True)
        if not self._api.repo_info(name, repo_type="dataset").private:
            logger.error("FEEDBACK_DATASET %s is public: nothing is sent to it", name)
            self._restored = True
            return
        with tempfile.TemporaryDirectory() as folder:
            self._api.snapshot_download(name, repo_type="dataset", local_dir=folder, allow_patterns="*.jsonl")
            self.add_missing(read_folder(Path(folder)))
        self._restored = True
        self._scheduler = CommitScheduler(
            repo_id=name,
            repo_type="dataset",
            folder_path=self._folder,
            every=self._minutes,
            private=True,
            hf_api=self._api,
        )

    def finish(self) -> None:
        """Commit the remaining records, with a few tries."""
        self._finishing.set()
        for wait_seconds in range(EXIT_TRIES):
            sleep(wait_seconds)
            try:
                if self._scheduler is None:
                    self.connect()
                if self._scheduler is not None:
                    self._scheduler.push_to_hub()
                return
            except Exception as error:
                logger.warning("The copy on the Hub lacks the last answers: %s", error)

    def _connect_with_retries(self) -> None:
        while not self._finishing.is_set():
            try:
                self.connect()
                return
            except Exception as error:
                logger.warning("There is no copy on the Hub yet: %s", error)
                self._finishing.wait(self._minutes * 60)
