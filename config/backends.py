"""What the server stands on: SQLite, memory and files; or PostgreSQL, Redis and S3, by their URLs."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

POSTGRES = "django.db.backends.postgresql"
CONNECTIONS = 20  # of one process; PostgreSQL lets in 100 from all unless told otherwise
POOL_WAIT_S = 5  # then a request says that the database is away
# A machine that goes away without a word is noticed within half a minute, not in a quarter of an
# hour. The last is in milliseconds, as libpq has it.
NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
CACHE_TABLE = "runyard_cache"  # made by `createcachetable`, which `serve` runs


def find_database(url: str, data_dir: Path) -> dict[str, Any]:
    """Django's setting for `url`; without one, a file in `data_dir`. Raises: ImproperlyConfigured."""
    if not url:
        return _sqlite(data_dir)
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(url))
    except ValueError:  # its text would show the password
        found = {}
    if found.get("ENGINE") != POSTGRES or not found.get("NAME"):
        raise ImproperlyConfigured(
            "DATABASE_URL must look like postgres://user:password@host:5432/name. For SQLite leave"
            " it out: the file is in RUNYARD_DATA_DIR."
        )
    return found | {
        "CONN_MAX_AGE": 0,  # the pool keeps them: under ASGI each request has a thread of its own
        "CONN_HEALTH_CHECKS": True,  # PostgreSQL may have started again since
        "OPTIONS": {
            **NETWORK,
            **found.get("OPTIONS", {}),
            "pool": {
                "min_size": 1,
                "max_size": CONNECTIONS,
                "timeout": POOL_WAIT_S,
                # Longer attempts grow rarer, and the server would be late to see it is back.
                "reconnect_timeout": 3,
            },
        },
    }


def find_redis(url: str) -> str:
    """Raises: ImproperlyConfigured."""
    if url and urlsplit(url).scheme not in {"redis", "rediss", "unix"}:  # it may hold a password
        raise ImproperlyConfigured(
            "REDIS_URL must look like redis://host:6379/0, rediss://user:password@host:6379/0 or"
            " unix:///path/to/socket."
        )
    return url


def find_caches(redis_url: str, database_url: str) -> dict[str, Any]:
    """What all processes count requests in: Redis, else the database, else a process' memory."""
    if redis_url:
        cache: dict[str, Any] = {
            "BACKEND": "tracking.domain.redis_link.LenientCache",
            "LOCATION": redis_url,
        }
    elif database_url:
        # It counts all its rows with each that is written.
        cache = {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": CACHE_TABLE,
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    else:
        cache = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    return {"default": cache | {"KEY_PREFIX": "runyard"}}


def _sqlite(data_dir: Path) -> dict[str, Any]:
    """One writer at a time, so every transaction says at once that it writes."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": data_dir / "runyard.sqlite3",
        "CONN_MAX_AGE": 0,  # under ASGI each request has a thread of its own
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            # FULL: an acknowledged batch survives power loss, not only a crash.
            # The limit: after a large deletion the file beside the database would stay as large.
            "init_command": (
                "PRAGMA journal_mode=WAL;"
                "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;"
                "PRAGMA journal_size_limit=67108864;"
            ),
        },
        "TEST": {"NAME": data_dir / "test.sqlite3"},  # a file: the writer thread must see it too
    }
