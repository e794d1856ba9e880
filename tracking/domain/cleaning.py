"""What has run out and nobody misses: the server throws it away once a day."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module

from axes.models import AccessAttempt
from django.conf import settings
from django.db import Error, connection
from django.db.models import Q
from django.utils import timezone

from tracking.domain import locks, writer
from tracking.domain.retention import apply_all
from tracking.domain.trash import purge_trash
from tracking.errors import Overloaded
from tracking.models import ApiToken

EVERY_S = 24 * 3600
AGAIN_S = 3600  # where the database had no time
TOKENS_KEPT = timedelta(days=90)  # to look up what a token was that a job still comes with

log = logging.getLogger(__name__)


def start_cleaning() -> None:
    """In a thread that ends with the process."""
    threading.Thread(target=clean_daily, name="cleaning", daemon=True).start()


def clean_daily(wait: Callable[[float], None] = time.sleep) -> None:
    """At once, for a server may never run for a whole day."""
    while True:
        try:
            with locks.alone("cleaning", wait=False) as is_mine:
                if is_mine:  # else another process is at it
                    writer.write(clean_up)
                    sweep()
            pause_s = EVERY_S
        except Exception as error:
            is_expected = isinstance(error, (Error, Overloaded))
            log.warning("Cleaning up was put off: %r", error, exc_info=not is_expected)
            pause_s = AGAIN_S
        connection.close()  # others need it meanwhile, and by then it may be dead
        wait(pause_s)


def sweep() -> None:
    """What takes long: piece by piece, and not in the writer's thread."""
    purge_trash()
    apply_all()


def clean_up() -> None:
    """Drop sessions that are over, wrong passwords that count no more, and tokens long ended.

    JWTs are stored nowhere.
    """
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    now = timezone.now()
    longest = max(settings.AXES_COOLOFF_TIME, settings.ADDRESS_COOLOFF_TIME)
    AccessAttempt.objects.filter(attempt_time__lt=now - longest).delete()
    end = now - TOKENS_KEPT
    ApiToken.objects.filter(Q(expiry__lt=end) | Q(revoked_at__lt=end)).delete()
