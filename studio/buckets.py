"""Token buckets: how much each visitor may do in a row, and how fast that comes back."""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

MOST_VISITORS = 10_000


class Buckets:
    """One bucket for each visitor, full at first. Threads may share them.

    Memory is bounded: beyond `most` visitors, the one not seen for longest is forgotten, and has a full bucket again.
    """

    def __init__(
        self,
        size: float,
        per_second: float,
        most: int = MOST_VISITORS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Let each bucket hold `size` tokens, and gain `per_second`."""
        self._size, self._per_second, self._most, self._clock = size, per_second, most, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when that was
        self._lock = Lock()

    def take(self, visitor: str, cost: float = 1.0) -> float:
        """Take tokens and return 0, or take none and return the seconds until they are there.

        What costs more than a bucket holds gets a full one.
        """
        with self._lock:
            now = self._clock()
            before, since = self._left.pop(visitor, (self._size, now))
            left = min(self._size, before + (now - since) * self._per_second)
            missing = min(cost, self._size) - left
            self._left[visitor] = (left if missing > 0 else max(0.0, left - cost), now)
            while len(self._left) > self._most:
                self._left.popitem(last=False)
        return missing / self._per_second if missing > 0 else 0.0

    def __len__(self) -> int:
        """Return how many visitors are remembered."""
        return len(self._left)
