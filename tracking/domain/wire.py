"""Hints between server processes, by Redis: what one has committed, the watchers of another read.

A lost hint does no harm, for `lookout` looks at the database once a second. So nobody waits here:
two threads of their own send and listen, and whatever cannot be sent at once is forgotten.
"""

import threading
from collections.abc import Callable
from functools import partial
from uuid import uuid4

from django.conf import settings
from django.utils.crypto import salted_hmac
from redis import Redis
from redis.client import PubSub
from redis.exceptions import RedisError

from tracking.domain.redis_link import AGAIN_S, WAIT_S, ask, connect, outage

Hint = tuple[int, int]  # a run's id, and its revision
ME = uuid4().hex.encode()  # this process: what it has sent it need not hear


class Wire:
    """Its threads start with the first hint, and with `listen`; they live as long as the process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[int, int] = {}  # of a run only the newest revision counts
        self._threads: dict[str, threading.Thread] = {}
        self._hear: Callable[[Hint], None] | None = None

    def tell(self, run_id: int, revision: int) -> None:
        """Never waits for Redis. Any thread may call it."""
        with self._changed:
            self._waiting[run_id] = max(revision, self._waiting.get(run_id, 0))
            self._changed.notify()
        self._start("hints out", self._send_all)

    def listen(self, hear: Callable[[Hint], None]) -> None:
        """`hear` is called in a thread of the wire's with each hint of another process."""
        self._hear = hear
        self._start("hints in", self._listen_all)

    def _start(self, name: str, work: Callable[[Redis], None]) -> None:
        if name in self._threads:
            return
        with self._changed:
            if name not in self._threads:
                thread = threading.Thread(target=work, args=[connect()], name=name, daemon=True)
                self._threads[name] = thread
                self._threads[name].start()

    def _send_all(self, redis: Redis) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                waiting, self._waiting = self._waiting, {}
            message = write_hints(waiting)
            ask(partial(redis.publish, channel(), message), 0)

    def _listen_all(self, redis: Redis) -> None:
        pause = threading.Event()
        while True:
            try:
                with redis.pubsub() as subscription:  # type: ignore[no-untyped-call]
                    self._listen(subscription)
            except RedisError as error:
                outage.begin(error)
            pause.wait(AGAIN_S)

    def _listen(self, subscription: PubSub) -> None:
        """Until Redis is silent for too long: a ping is answered, or the connection is dead."""
        subscription.subscribe(channel())
        is_asked = False
        while True:
            message = subscription.get_message(timeout=2 * WAIT_S)
            if message is None:
                if is_asked:
                    raise RedisError("Redis is silent.")
                subscription.ping()
            elif message["type"] == "message":
                self._hear_all(message["data"])
            else:  # it has subscribed, or answers a ping
                outage.end()
            is_asked = message is None

    def _hear_all(self, data: bytes) -> None:
        for hint in read_hints(data):
            if self._hear:
                self._hear(hint)


def channel() -> str:
    """Of this installation: others may use the same Redis."""
    return f"runyard:hints:{salted_hmac('hints', '', settings.SECRET_KEY).hexdigest()[:16]}"


def write_hints(revisions: dict[int, int]) -> bytes:
    """`sender run:revision run:revision …`"""
    return b" ".join([ME, *(b"%d:%d" % hint for hint in revisions.items())])


def read_hints(data: bytes) -> list[Hint]:
    """None from this process itself, nor from what is no hint."""
    sender, *texts = data.split(b" ")
    if sender == ME:
        return []
    pairs = [text.partition(b":") for text in texts]
    return [(int(run), int(rev)) for run, _, rev in pairs if run.isdigit() and rev.isdigit()]


wire = Wire()
