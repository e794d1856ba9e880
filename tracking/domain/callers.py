"""Who came with which token a moment ago, so that not each of a training's batches looks it up.

A lookup takes a thread, a connection and two tables: 3 ms, longer than the storing. Whatever this
process changes about users and tokens is forgotten with the change; what another one changes, such
as a management command, within KNOWN_FOR_S.
"""

import time
from datetime import datetime
from hashlib import sha256
from threading import Lock
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from tracking.domain.identity import find_user, secret_in
from tracking.domain.jwt import read_expiry
from tracking.models import ApiToken, User

KNOWN_FOR_S = 1.0
MAX_KNOWN = 10_000  # only tokens that are good get in here, so nobody fills it with nonsense


class _Memory:
    """`version` grows with each change: who looked before it has seen what is no longer so."""

    def __init__(self) -> None:
        self.version = 0
        self._lock = Lock()
        self._known: dict[bytes, tuple[float, User]] = {}

    def recall(self, digest: bytes) -> User | None:
        until, user = self._known.get(digest, (0.0, None))
        return user if time.monotonic() < until else None

    def keep(self, digest: bytes, user: User, *, for_s: float, seen: int) -> None:
        with self._lock:
            if seen != self.version:
                return
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[digest] = (time.monotonic() + for_s, user)

    def forget(self) -> None:
        with self._lock:
            self.version += 1
            self._known.clear()


_memory = _Memory()
forget_callers = _memory.forget


def recall_caller(authorization: str) -> User | None:
    """The user of this header, without a query; None where it has to be looked up.

    Requests share what is returned: it is to be read only.
    """
    return _memory.recall(_digest(authorization)) if authorization else None


def find_caller(authorization: str, session_key: str) -> User:
    """As `find_user`, to be recalled. Raises: InvalidCredentials."""
    seen = _memory.version
    user = find_user(authorization, session_key)
    if secret := secret_in(authorization):
        ends_at = user.token.expiry if user.token else read_expiry(secret)
        _memory.keep(_digest(authorization), user, for_s=_seconds_until(ends_at), seen=seen)
    return user


def watch() -> None:
    """Called once, when the apps are ready."""
    for model in (User, ApiToken):
        for signal in (post_save, post_delete):
            signal.connect(_forget, sender=model, dispatch_uid=f"{model.__name__} is changed")


def _forget(**_: Any) -> None:
    forget_callers()
    transaction.on_commit(forget_callers, robust=True)  # others still saw the old until then


def _digest(authorization: str) -> bytes:
    """Secrets are not kept, in memory neither."""
    return sha256(authorization.encode()).digest()


def _seconds_until(ends_at: datetime | None) -> float:
    left_s = KNOWN_FOR_S if ends_at is None else (ends_at - timezone.now()).total_seconds()
    return min(KNOWN_FOR_S, left_s)
