"""Tokens: a run as signed text, so that the browser can keep it over a reload but cannot change it.

    tokens = Tokens(load_secret(folder), bank)
    token = tokens.sign(session)
    session = tokens.read(token)

A token holds which items the run asks and what the learner answered, and nothing of a key.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .bank import Bank
from .errors import SessionError, TokenError
from .grading import grade
from .selection import arrange_items
from .session import Session, restore

MAX_CHARACTERS = 50_000
MAX_DAYS = 30
_FORMAT = b"gru-quiz-run-1."
_SECRET_FILE = "quiz.secret"
_OWNER_ONLY = 0o600
_FOREIGN = "The run kept in this browser cannot be read here, so a new one starts."
_STALE = f"The run kept in this browser is older than {MAX_DAYS} days, so a new one starts."
_OTHER_BANK = "The questions have changed since your last visit, so a new run starts."


def load_secret(folder: Path) -> bytes:
    """Return what tokens are signed with: QUIZ_SECRET, else what was made here at first start and kept in a folder.

    If the folder cannot be written, the secret is that of this process, and runs end with it.
    """
    if secret := os.getenv("QUIZ_SECRET"):
        return secret.encode()
    path = folder / _SECRET_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_once(path, secrets.token_hex(32).encode())
        return path.read_bytes() or secrets.token_bytes(32)
    except OSError:
        return secrets.token_bytes(32)


def _write_once(path: Path, content: bytes) -> None:
    """Write a file whole, unless another process was faster."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as file:
        file.write(content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


class Tokens:
    """Writes and reads the tokens of runs through one bank, with one secret."""

    def __init__(self, secret: bytes, bank: Bank) -> None:
        """Keep the secret, and a fingerprint of the bank that changes whenever anything in it does."""
        self._secret = secret
        self._bank = bank
        self._fingerprint = hashlib.sha256(repr(bank.items).encode()).hexdigest()[:16]

    def sign(self, session: Session, now: float | None = None) -> str:
        """Return the token of a run; `now` is the time in seconds since 1970, by default that of the clock."""
        places = {item.id: place for place, item in enumerate(self._bank.items)}
        content = {
            "run": session.run,
            "bank": self._fingerprint,
            "scope": session.scope,
            "seed": session.seed,
            "time": int(time.time() if now is None else now),
            "items": [places[item.id] for item in session.items],
            "seen": sorted(places[item_id] for item_id in session.seen),
            "open": session.position,
            "hints": session.hints,
            "answers": [[places[g.item.id], g.given, g.hints, g.confidence] for g in session.grades],
        }
        body = json.dumps(content, separators=(",", ":"), ensure_ascii=True).encode()
        return f"{_encode(body)}.{_encode(self._signature(body))}"

    def read(self, token: object, now: float | None = None) -> Session:
        """Return the run of a token.

        Raises:
            TokenError: If it was not signed with this secret, is garbled, older than `MAX_DAYS`, or of another bank.
        """
        content = self._verified(token)
        if content["bank"] != self._fingerprint:
            raise TokenError(_OTHER_BANK)
        age = (time.time() if now is None else now) - content["time"]
        if age > MAX_DAYS * 24 * 3600:
            raise TokenError(_STALE)
        return _session(content, self._bank)

    def _verified(self, token: object) -> dict[str, Any]:
        if not isinstance(token, str) or len(token) > MAX_CHARACTERS:
            raise TokenError(_FOREIGN)
        try:
            body, signature = (_decode(part) for part in token.split("."))
        except (ValueError, binascii.Error) as error:
            raise TokenError(_FOREIGN) from error
        if not hmac.compare_digest(signature, self._signature(body)):
            raise TokenError(_FOREIGN)
        return json.loads(body)  # ours: nobody else has the secret

    def _signature(self, body: bytes) -> bytes:
        return hmac.digest(self._secret, _FORMAT + body, "sha256")


def _session(content: dict[str, Any], bank: Bank) -> Session:
    ids = [item.id for item in bank.items]

    def named(places: Sequence[int]) -> list[str]:
        return [ids[place] for place in places]

    items = arrange_items(bank, named(content["items"]), content["seed"])
    empty = Session(content["run"], content["scope"], content["seed"], items, frozenset(named(content["seen"])))
    by_id = {item.id: item for item in items}
    try:
        grades = [
            grade(by_id[ids[place]], given, hints, confidence) for place, given, hints, confidence in content["answers"]
        ]
    except SessionError as error:
        raise TokenError(_FOREIGN) from error
    return restore(replace(empty, position=content["open"], hints=content["hints"]), grades)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
