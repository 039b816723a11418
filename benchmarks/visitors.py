"""Visitors of the served app without a browser."""

import random
from typing import Any

from benchmarks.gradio_http import Page, connect

RADIO, CHECKBOXES, NUMBER = "quiz-choice", "quiz-choices", "quiz-number"


def open_page(address: str, config: dict[str, Any] | None = None, session: str = "") -> Page:
    """Return a page of the app at an address."""
    return Page(connect(address), session, config)


class Learner:
    """A learner who answers the quiz at random."""

    def __init__(self, page: Page, chance: random.Random) -> None:
        """Take an open page."""
        self.page, self._chance = page, chance

    def open(self) -> None:
        """Go to the first question."""
        self.page.fire("page", "load")

    def answer(self) -> None:
        """Answer the open question.

        Raises:
            ValueError: The answer was not acknowledged.
        """
        for element in (RADIO, CHECKBOXES):
            letters = [value for _, value in self.page.props[self.page.ids[element]]["choices"]]
            letter = self._chance.choice(letters) if letters else None  # none where the question has other inputs
            self.page.put(element, letter if element == RADIO else [letter] if letter else [])
        self.page.put(NUMBER, str(self._chance.randint(0, 99)))
        self.page.fire("quiz-submit")
        if not self.page.is_shown("quiz-after"):
            raise ValueError(f"not acknowledged: {self.page.value('quiz-feedback')}")

    def go_on(self) -> None:
        """Go to the next question, or start again after the last one."""
        self.page.fire("quiz-next")
        if not self.page.is_shown("quiz-question"):
            self.page.fire("quiz-restart")
