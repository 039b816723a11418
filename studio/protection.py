"""The middleware in front of the app, in order, with the limits that the environment sets."""

import math
import os

from starlette.middleware import Middleware

from .assets import KeptAssets
from .bodies import BodyLimit
from .compression import CompressedPage
from .doors import ClosedDoors
from .failures import Failures
from .headers import SecurityHeaders
from .rates import RateLimit


class SettingError(ValueError):
    """An environment variable that cannot be used; the message names it."""


def protection(upload_megabytes: int) -> list[Middleware]:
    """Return the middleware for `launch(app_kwargs={"middleware": ...})`.

    Args:
        upload_megabytes: the largest file that may be uploaded.

    Raises:
        SettingError: RATE_FACTOR is no number.
    """
    largest, factor = upload_megabytes * 1024 * 1024, rate_factor()
    rates = [Middleware(RateLimit, factor=factor, largest_upload=largest)] if factor else []
    return [
        Middleware(SecurityHeaders),
        *rates,
        Middleware(KeptAssets),
        Middleware(ClosedDoors),
        Middleware(Failures),
        Middleware(CompressedPage),
        Middleware(BodyLimit, largest_upload=largest),
    ]


def rate_factor() -> float:
    """Return RATE_FACTOR, which multiplies the limits of `rates`; 0 switches them off, and by default it is 1."""
    said = os.getenv("RATE_FACTOR") or "1"
    try:
        factor = float(said)
    except ValueError:
        factor = math.nan
    if not 0 <= factor < math.inf:
        raise SettingError(f"RATE_FACTOR is {said!r}, which is no number from 0 up")
    return factor
