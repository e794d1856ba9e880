"""Counting in the cache, where several server processes read a count and write it back."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.conf import settings
from redis.exceptions import LockError
from redis.lock import Lock

from tracking.domain.locks import counting
from tracking.domain.redis_link import WAIT_S, ask, connect

HELD_S = 2.0  # by whom died meanwhile


@contextmanager
def one_count(key: str) -> Iterator[None]:
    """One of all processes at a time; whoever has waited for too long goes on without the lock."""
    if not settings.REDIS_URL:
        with counting(key):
            yield
        return
    lock = connect().lock(f"runyard:lock:{key}", timeout=HELD_S, sleep=0.005)
    is_held = ask(lambda: lock.acquire(blocking_timeout=WAIT_S), instead=False)
    try:
        yield
    finally:
        if is_held:
            ask(lambda: _release(lock), None)


def _release(lock: Lock) -> None:
    with suppress(LockError):  # it was held for too long, or Redis forgot it
        lock.release()
