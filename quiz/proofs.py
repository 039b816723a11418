"""The proofs of keys for the page: each is run once, when somebody first asks for it, and kept."""

from collections.abc import Callable
from threading import Lock
from typing import Any

from .bank import Item
from .checks import NotInstalledError, Proof, prove
from .grading import Grade
from .proof_html import proof_html, unproved_html


class Proofs:
    """Proofs of the items of one bank. Threads may share it; they run one at a time."""

    def __init__(self, classifier: Callable[[], Any] | None = None) -> None:
        """Take a function that returns the shipped model, for the proofs that look at it."""
        self._classifier = classifier
        self._proofs: dict[str, Proof] = {}
        self._lock = Lock()

    def html(self, grade: Grade) -> str:
        """Return the proof of an answered item, and what the learner's answer would have computed.

        An item without a proof, or whose proof cannot run here, shows why and its sources instead.

        Raises:
            ProofError: If the item's check is broken.
        """
        item = grade.item
        if item.check is None or item.check.fn is None:
            return unproved_html(item)
        try:
            proof = self._proof(item)
        except NotInstalledError as error:
            return unproved_html(item, error)
        return proof_html(proof, item, grade.given if grade.number is None else [str(grade.number)])

    def _proof(self, item: Item) -> Proof:
        with self._lock:
            if item.id not in self._proofs:
                self._proofs[item.id] = prove(item, classifier=self._classifier() if self._classifier else None)
            return self._proofs[item.id]
