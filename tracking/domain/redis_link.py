"""The Redis that several server processes share, by REDIS_URL.

It holds nothing that may not be lost: hints for watchers, and counts of requests. Where it does not
answer, nobody waits for it and nobody is refused: it is asked again a second later, by one caller.
"""

import logging
import time
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache.backends.redis import RedisCache
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

Answer = TypeVar("Answer")
WAIT_S = 0.5  # on one network it answers within a millisecond, or not at all
AGAIN_S = 1.0
OPTIONS: dict[str, Any] = {
    "socket_timeout": WAIT_S,
    "socket_connect_timeout": WAIT_S,
    "retry": Retry(NoBackoff(), 1),  # at once, for a connection from before it started again
}

log = logging.getLogger(__name__)


class Outage:
    """Whether Redis is away. It is told of once as it begins, and once as it ends."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_away = False
        self._ask_at = 0.0

    def may_ask(self) -> bool:
        with self._lock:
            if self._is_away and time.monotonic() < self._ask_at:
                return False
            self._ask_at = time.monotonic() + AGAIN_S  # meanwhile others do not
            return True

    def begin(self, error: Exception) -> None:
        with self._lock:
            was_away, self._is_away = self._is_away, True
        if not was_away:
            log.warning("Redis is away (%s); the server goes on without it.", _words(error))

    def end(self) -> None:
        if self._is_away:
            with self._lock:
                self._is_away = False
            log.warning("Redis answers again.")


outage = Outage()


def _words(error: Exception) -> str:
    """Its text may tell the address, and with it the password."""
    return type(error).__name__


@cache
def connect() -> "Redis":
    """Threads may share it."""
    return Redis.from_url(settings.REDIS_URL, **OPTIONS)


def ask(work: Callable[[], Answer], instead: Answer) -> Answer:
    """What `work` gets from Redis; `instead` while it is away."""
    if not outage.may_ask():
        return instead
    try:
        answer = work()
    except RedisError as error:
        outage.begin(error)
        return instead
    outage.end()
    return answer


class LenientCache(RedisCache):
    """Django's, of which nothing is known while Redis is away."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params | {"OPTIONS": OPTIONS | params.get("OPTIONS", {})})

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return ask(lambda: super(LenientCache, self).get(key, default, version), default)

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        ask(lambda: super(LenientCache, self).set(key, value, *args, **kwargs), None)
