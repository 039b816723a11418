"""Who may see the teacher's page: whoever knows TEACHER_TOKEN. It is typed once; then a signed cookie stands for it."""

import hmac
import time
from collections import deque
from collections.abc import Callable
from threading import Lock

SESSION_SECONDS = 8 * 3600
WRONG_TRIES = 5
WAIT_SECONDS = 60


class Guard:
    """Compares tokens and signs sessions.

    After `WRONG_TRIES` wrong tokens within `WAIT_SECONDS`, by whomever, no token is looked at until the first of them
    is that old: addresses can be made up, so they are not told apart. Sessions go on meanwhile.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.time) -> None:
        """Keep the token; the clock returns seconds since 1970."""
        self._token = token.encode()
        self._clock = clock
        self._wrong: deque[float] = deque(maxlen=WRONG_TRIES)
        self._lock = Lock()

    def wait(self) -> int:
        """Return for how many seconds no token is looked at; 0 if the next one is."""
        if len(self._wrong) < WRONG_TRIES:
            return 0
        return max(0, int(self._wrong[0] + WAIT_SECONDS - self._clock() + 0.999))

    def admits(self, token: str) -> bool:
        """Return whether a token is right, in a time that tells nothing of it; none is while `wait` is above 0."""
        with self._lock:
            if self.wait():
                return False
            right = hmac.compare_digest(token.encode("utf-8", "replace"), self._token)
            if not right:
                self._wrong.append(self._clock())
            return right

    def new_session(self) -> str:
        """Return the value of a cookie that is good for `SESSION_SECONDS`, until the token is changed."""
        end = str(int(self._clock()) + SESSION_SECONDS)
        return f"{end}.{self._signature(end)}"

    def knows(self, session: str | None) -> bool:
        """Return whether a cookie is one of ours and still good."""
        end, _, signature = (session or "").partition(".")
        signed = hmac.compare_digest(signature.encode("utf-8", "replace"), self._signature(end).encode())
        return signed and int(end) > self._clock()

    def _signature(self, end: str) -> str:
        return hmac.new(self._token, b"teacher session until " + end.encode("utf-8", "replace"), "sha256").hexdigest()
