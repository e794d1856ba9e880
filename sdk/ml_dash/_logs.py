"""`experiment.log` and `experiment.logs`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from enum import Enum
from typing import Any

from runyard.notices import say
from runyard.values import as_json_map, as_text

from ml_dash._session import Session

UTC = timezone.utc  # noqa: UP017 -- the SDK supports Python 3.10


class LogLevel(str, Enum):  # noqa: UP042 -- the SDK supports Python 3.10
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"
    FATAL = "fatal"

    @classmethod
    def validate(cls, level: str) -> str:
        """The level in lower case. Raises: ValueError."""
        known = [one.value for one in cls]
        text = level.value if isinstance(level, cls) else str(level).lower()
        if text not in known:
            raise ValueError(f"Unknown log level {level!r}. Use one of: {', '.join(known)}.")
        return text


class LogBuilder:
    """A method for each level."""

    def __init__(self, session: Session, metadata: Mapping[str, Any] | None = None) -> None:
        self._session = session
        self._metadata = metadata or {}

    def debug(self, message: str, /, **metadata: Any) -> None:
        self._write(message, LogLevel.DEBUG, metadata)

    def info(self, message: str, /, **metadata: Any) -> None:
        self._write(message, LogLevel.INFO, metadata)

    def warn(self, message: str, /, **metadata: Any) -> None:
        self._write(message, LogLevel.WARN, metadata)

    def error(self, message: str, /, **metadata: Any) -> None:
        self._write(message, LogLevel.ERROR, metadata)

    def fatal(self, message: str, /, **metadata: Any) -> None:
        self._write(message, LogLevel.FATAL, metadata)

    def _write(self, message: str, level: str, metadata: Mapping[str, Any]) -> None:
        write_log(self._session, message, level, {**self._metadata, **metadata})


def write_log(session: Session, message: object, level: str, metadata: Mapping[str, Any]) -> None:
    """Store a line and print it. Raises: ValueError, TypeError, ExperimentError."""
    store, known = session.store, LogLevel.validate(level)
    text = as_text(str(message).replace("\0", "\\0"), "message")
    words = as_json_map(metadata, "metadata")
    store.log(text, known, words, datetime.now(UTC))
    _echo(text, known, words)


def _echo(message: str, level: str, metadata: Mapping[str, Any]) -> None:
    pairs = ", ".join(f"{key}={value}" for key, value in metadata.items())
    line = f"[{level.upper()}] {message}{pairs and f' [{pairs}]'}"
    if level not in {"error", "fatal"}:
        say(line)
        return
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{line}\n")
