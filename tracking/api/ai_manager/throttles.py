"""How much a user may ask, and how many points he may log. Each limit is a setting; 0 is none.

All server processes count together: in Redis, else in the database. While Redis is away nobody is
refused: what it counts keeps a program that runs wild from the others, and nobody from guessing.
"""

import time
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

from tracking.domain.turns import one_count
from tracking.models import User

BURST_S = 10  # so many seconds' worth of points may come at once
_lock = Lock()  # one at a time: requests that come together are counted one by one


class _UserRate(UserRateThrottle):
    def allow_request(self, request: Request, view: Any) -> bool:
        with _lock, one_count(self.get_cache_key(request, view) or ""):
            return bool(super().allow_request(request, view))


class MinuteRate(_UserRate):
    scope = "ai-manager-minute"

    def get_rate(self) -> str | None:
        return f"{settings.REQUESTS_PER_MINUTE}/min" if settings.REQUESTS_PER_MINUTE else None


class HourRate(_UserRate):
    scope = "ai-manager-hour"

    def get_rate(self) -> str | None:
        return f"{settings.REQUESTS_PER_HOUR}/hour" if settings.REQUESTS_PER_HOUR else None


def spend_points(user: User, count: int) -> None:
    """Take `count` points out of the user's bucket, which may go into debt by one request: one
    that is larger than the bucket is let in too, if then for a while no other. Raises: Throttled.
    """
    rate = settings.POINTS_PER_SECOND
    if not rate:
        return
    key = f"ai-manager-points:{user.pk}"
    with _lock, one_count(key):
        now = time.time()
        paid_until = max(cache.get(key, 0.0), now - BURST_S)
        if paid_until > now:
            raise Throttled(wait=paid_until - now)
        paid_until += count / rate
        cache.set(key, paid_until, timeout=paid_until - now + BURST_S)
