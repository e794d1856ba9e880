"""Signing in by password: one attempt at a time for each name and address, and so many of them.

Without the turns, attempts that come together would all be let in before the first had failed.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import authenticate
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from tracking.models import User
from tracking.origin import client_address

MAX_NAME_LENGTH = 150  # as User has it: a longer one is nobody's
_turns = [Lock() for _ in range(256)]


@contextmanager
def one_attempt(request: HttpRequest | None, username: str) -> Iterator[None]:
    address = client_address(request) if request else None
    with _turns[hash((username, address)) % len(_turns)]:
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


def tell_locked_out(
    request: HttpRequest,
    response: HttpResponse,  # noqa: ARG001 -- what the view said, as if the guess had been taken
    credentials: dict[str, str] | None,
) -> HttpResponse:
    """What django-axes answers after too many wrong guesses."""
    wait_s = seconds_to_wait(request, credentials or {})
    minutes = math.ceil(wait_s / 60)
    detail = f"Too many wrong passwords. Try again in {minutes} minute{'s' * (minutes > 1)}."
    if "text/html" in request.headers.get("Accept", ""):  # as browsers say, and programs do not
        answer = render(request, "registration/locked.html", {"detail": detail}, status=429)
    else:
        answer = JsonResponse({"detail": detail}, status=429)
    answer.headers["Retry-After"] = str(wait_s)
    return answer


def seconds_to_wait(request: HttpRequest, credentials: dict[str, str]) -> int:
    """Until the last wrong guess is forgotten."""
    mine = AccessAttempt.objects.filter(
        username=credentials.get("username"), ip_address=client_address(request)
    )
    last = mine.aggregate(last=Max("attempt_time"))["last"] or timezone.now()
    left = last + settings.AXES_COOLOFF_TIME - timezone.now()
    return max(1, math.ceil(left.total_seconds()))
