"""Resume tokens: a run as signed text, which the browser keeps over a reload but cannot change.

    tokens = ResumeTokens(load_secret(folder), bank)
    token = tokens.sign(session)
    session = tokens.read(token)

A token holds the items of the run and the learner's answers, and nothing of the key.
"""

import hashlib
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer

from .bank import Bank, fingerprint
from .errors import SessionError, TokenError
from .grading import grade
from .selection import arrange_items
from .session import Session, restore

MAX_DAYS = 30
_SECRET_FILE = "quiz.secret"
_OWNER_ONLY = 0o600
_UNREADABLE = "The run saved in this browser cannot be read here, so a new one starts."
_EXPIRED = f"The run saved in this browser is older than {MAX_DAYS} days, so a new one starts."
_OTHER_BANK = "The questions have changed since your last visit, so a new run starts."


def load_secret(folder: Path, secret: str | None = None) -> bytes:
    """Return the secret that signs tokens: the one given, else one that is created once and kept in a folder.

    If the folder is not writable, the secret is random, and tokens are valid for this process only.
    """
    if secret:
        return secret.encode()
    path = folder / _SECRET_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _create(path, secrets.token_hex(32).encode())
        return path.read_bytes() or secrets.token_bytes(32)
    except OSError:
        return secrets.token_bytes(32)


def _create(path: Path, content: bytes) -> None:
    """Create a file with its whole content at once, unless another process has created it."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as file:
        file.write(content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


class ResumeTokens:
    """A signer and reader of the tokens of runs through one bank."""

    def __init__(self, secret: bytes, bank: Bank) -> None:
        """Take the secret and the bank, any change of which invalidates its tokens."""
        self._serializer = URLSafeTimedSerializer(
            secret, salt="gru-quiz-run-2", signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
        )
        self._bank = bank
        self._fingerprint = fingerprint(bank)
        self._indices = {item.id: index for index, item in enumerate(bank.items)}

    def sign(self, session: Session) -> str:
        """Return the token of a run."""
        index = self._indices
        content = {
            "run": session.run,
            "bank": self._fingerprint,
            "scope": session.scope,
            "seed": session.seed,
            "items": [index[item.id] for item in session.items],
            "seen": sorted(index[item_id] for item_id in session.seen),
            "open": session.position,
            "hints": session.hints,
            "answers": [[index[grade.item.id], grade.given, grade.hints, grade.confidence] for grade in session.grades],
        }
        return str(self._serializer.dumps(content))

    def read(self, token: object) -> Session:
        """Return the run of a token.

        Raises:
            TokenError: It is not signed with this secret, not readable, older than `MAX_DAYS`, or of another bank.
        """
        if not isinstance(token, str):
            raise TokenError(_UNREADABLE)
        try:
            # No max_age: it also rejects tokens that another server, whose clock is ahead, has just signed.
            content, signed_at = self._serializer.loads(token, return_timestamp=True)
        except (BadData, UnicodeError) as error:
            raise TokenError(_UNREADABLE) from error
        if content["bank"] != self._fingerprint:
            raise TokenError(_OTHER_BANK)
        if time.time() - signed_at.timestamp() > MAX_DAYS * 24 * 3600:
            raise TokenError(_EXPIRED)
        return _to_session(content, self._bank)


def _to_session(content: dict[str, Any], bank: Bank) -> Session:
    def ids(indices: Sequence[int]) -> list[str]:
        return [bank.items[index].id for index in indices]

    items = arrange_items(bank, ids(content["items"]), content["seed"])
    empty = Session(content["run"], content["scope"], content["seed"], items, frozenset(ids(content["seen"])))
    by_id = {item.id: item for item in items}
    try:
        grades = [
            grade(by_id[bank.items[index].id], given, hints, confidence)
            for index, given, hints, confidence in content["answers"]
        ]
    except SessionError as error:
        raise TokenError(_UNREADABLE) from error
    return restore(replace(empty, position=content["open"], hints=content["hints"]), grades)
