"""How the log is written: lines for people, or JSON for programs. Source: docs/operations.md, "Logs"."""

import logging
from typing import Any

LEVELS = {"debug", "info", "warning", "error"}
OWN = ("config", "dashboard", "runyard", "tracking")
CHATTY = ("asyncio", "boto3", "botocore", "daphne", "s3transfer", "urllib3")  # below a warning


def find_logging(form: str, level: str) -> dict[str, Any]:
    """Django's setting. `form`: line or json; `level`: the least that is told."""
    least = logging.getLevelNamesMapping()[level.upper()]
    others = {name: {"level": max(least, logging.WARNING)} for name in CHATTY}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": "config.log_lines.LineFormatter"},
            "json": {"()": "config.log_lines.JsonFormatter"},
        },
        "filters": {"outages": {"()": "config.log_lines.OutageFilter", "least": least}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["console"], "level": max(least, logging.WARNING)},
        "loggers": {
            **others,
            **{name: {"level": least} for name in OWN},
            "django": {"handlers": [], "level": max(least, logging.INFO)},  # debug: each query
            # A 4xx is the caller's news, not the operator's.
            "django.request": {"level": "ERROR", "filters": ["outages"]},
            "django.security.csrf": {"level": "ERROR"},  # as above; some addresses are secrets
            "runyard.access": {"level": "INFO"},  # asked for by a variable of its own
        },
    }
