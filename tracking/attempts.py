"""Guessing passwords: so many wrong guesses at one name from one address, and so many from an address
at whatever names; then a pause. django-axes counts them.

Attempts that come together wait for their turn: otherwise all would be let in before the first failed.
The counts are in the database, also where there is Redis, which may forget them; and where several
server processes share the database, they share the turns.
"""

import ipaddress
import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import choice
from threading import Condition, Lock, Semaphore

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import authenticate
from django.db import connection, transaction
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from tracking.domain import locks
from tracking.models import User
from tracking.origin import client_address

MAX_NAME_LENGTH = 150  # as User has it: a longer one is nobody's
PLACES = range(8)
_at_once = Semaphore(len(PLACES))  # in this process, at whatever names from wherever
_turns = [Lock() for _ in range(256)]


class _Gate:
    """Lets in attempts of an address together only while all of them may fail."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._inside = 0

    @contextmanager
    def one(self, address: str) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._inside or self._has_room(address))
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify()  # one: it is let in, or others are inside who will wake it

    def _has_room(self, address: str) -> bool:
        return guesses_left(address) > self._inside


_gates = [_Gate() for _ in range(256)]


@contextmanager
def one_attempt(request: HttpRequest | None, username: str) -> Iterator[None]:
    address = guesser_address(request) if request else "::"
    turn = _turns[hash((username, address)) % len(_turns)]
    gate = _gates[hash(address) % len(_gates)]
    _give_connection_back()
    with turn, _at_once, gate.one(address), _everywhere(username, address):
        yield


def _give_connection_back() -> None:
    """Those who wait for their turn take none from the pool, which all others need."""
    if locks.is_shared() and not connection.in_atomic_block:
        connection.close()


@contextmanager
def _everywhere(username: str, address: str) -> Iterator[None]:
    """The turns of all processes. What is raised within does not undo the count of a wrong guess."""
    if not locks.is_shared():
        yield
        return
    failure: Exception | None = None
    with _turn(username, address):
        try:
            yield
        except Exception as error:  # noqa: BLE001 -- raised below
            failure = error
    if failure:
        raise failure


@contextmanager
def _turn(username: str, address: str) -> Iterator[None]:
    """One attempt at a name at a time; of an address as many as PLACES, as long as all may fail."""
    with transaction.atomic():
        locks.hold(f"guess {address} {username}")
        locks.hold(f"guess {address} {choice(PLACES)}")  # noqa: S311 -- any will do
        if guesses_left(address) > len(PLACES):
            yield
            return
    with transaction.atomic():
        locks.hold(f"guess {address} {username}")
        for place in PLACES:
            locks.hold(f"guess {address} {place}")
        yield


def check_password(request: HttpRequest, username: str, password: str) -> User | None:
    """Who it is; None when it is nobody, or when there were too many wrong guesses.

    Of the latter the request keeps a note, and its answer becomes that of `tell_locked_out`.
    """
    if len(username) > MAX_NAME_LENGTH or "\0" in username:
        return None
    with one_attempt(request, username):
        user = authenticate(request, username=username, password=password)
    return user if isinstance(user, User) else None


class Handler(AxesDatabaseHandler):
    """django-axes has one limit for all it counts; an address needs a higher one than a name."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, str] | None = None) -> bool:
        is_name_locked: bool = super().is_locked(request, credentials)
        return is_name_locked or guesses_left(guesser_address(request)) <= 0


def guesser_address(request: HttpRequest) -> str:
    """As `client_address`, but one for a whole IPv6 network: who has one there has 2^64 of them."""
    address = ipaddress.ip_address(client_address(request) or "::")
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.IPv6Address(int(address) >> 64 << 64))
    return str(address)


def guesses_left(address: str) -> float:
    """How many more may be wrong at an address."""
    if not settings.GUESSES_PER_ADDRESS:
        return math.inf
    recent = _recent(settings.ADDRESS_COOLOFF_TIME, ip_address=address)
    wrong = recent.aggregate(wrong=Sum("failures_since_start"))["wrong"] or 0
    return float(settings.GUESSES_PER_ADDRESS - wrong)


def tell_locked_out(
    request: HttpRequest,
    *_: object,  # the view's answer and the credentials; of an async request not all, nor in order
) -> HttpResponse:
    """What django-axes answers after too many wrong guesses."""
    credentials: dict[str, str] = getattr(request, "axes_credentials", None) or {}
    wait_s, whose = find_pause(request, credentials.get("username", ""))
    minutes = math.ceil(wait_s / 60)
    detail = f"Too many wrong passwords{whose}. Try again in {minutes} minute{'s' * (minutes > 1)}."
    if "text/html" in request.headers.get("Accept", ""):  # as browsers say, and programs do not
        context = {"detail": detail, "is_for_all": bool(whose)}
        answer = render(request, "registration/locked.html", context, status=429)
    else:
        answer = JsonResponse({"detail": detail}, status=429)
    answer.headers["Retry-After"] = str(wait_s)
    return answer


def find_pause(request: HttpRequest, username: str) -> tuple[int, str]:
    """Seconds until enough wrong guesses are forgotten, and whose those are besides one's own."""
    address, pause = guesser_address(request), settings.AXES_COOLOFF_TIME
    mine = _recent(pause, ip_address=address, username=username)
    until = _forgotten_at(mine, settings.AXES_FAILURE_LIMIT, pause)
    whose = ""
    if guesses_left(address) <= 0:
        pause = settings.ADDRESS_COOLOFF_TIME
        theirs = _forgotten_at(
            _recent(pause, ip_address=address), settings.GUESSES_PER_ADDRESS, pause
        )
        if theirs > until:
            until, whose = theirs, " from your network"
    return max(1, math.ceil((until - timezone.now()).total_seconds())), whose


def _recent(pause: timedelta, **whose: str) -> QuerySet[AccessAttempt]:
    return AccessAttempt.objects.filter(attempt_time__gte=timezone.now() - pause, **whose)


def _forgotten_at(wrong: QuerySet[AccessAttempt], limit: int, pause: timedelta) -> datetime:
    """When fewer than `limit` of them will be younger than `pause`; it may be now."""
    rows = wrong.order_by("attempt_time").values_list("attempt_time", "failures_since_start")
    left = sum(count for _, count in rows)
    until = timezone.now()
    for last, count in rows:
        if left < limit:
            break
        left, until = left - count, last + pause
    return until
