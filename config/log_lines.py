"""The forms a line of the log can have. In both no secret is left, not in a traceback either."""

import copy
import logging
import re
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter as PlainJson

from config.redaction import redact, redact_value
from tracking.request_log import request_id

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")  # tabs and new lines stay
NOT_TOLD = {*RESERVED_ATTRS, "request", "server_time", "request_id"}  # the first is Django's object
Trouble = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class OutageFilter(logging.Filter):
    """Of `django.request`: that something is away is a line and no fault of the server's.

    What asks whether it is ready asks every few seconds: `tracking.domain.readiness` tells of changes.
    """

    def __init__(self, least: int) -> None:
        super().__init__()
        self._least = least

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "status_code", None) != 503:
            return True
        if _path_of(record).rstrip("/") == "/ready":
            return False
        if record.exc_info and (error := record.exc_info[1]):
            reason = (str(error).strip().splitlines() or [""])[0]
            record.msg, record.args = (
                f"%s ({type(error).__name__}: %s)",
                (record.getMessage(), reason),
            )
        record.exc_info = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        return record.levelno >= self._least


def _path_of(record: logging.LogRecord) -> str:
    path: str = getattr(getattr(record, "request", None), "path", "")
    return path


class LineFormatter(logging.Formatter):
    """`2026-01-31 12:00:00,123 WARNING tracking.domain.writer [4f0c2ab1]: …`"""

    def format(self, record: logging.LogRecord) -> str:
        number = request_id()
        mark = f" [{number}]" if number else ""
        when = self.formatTime(record)
        lines = [f"{when} {record.levelname} {record.name}{mark}: {record.getMessage()}"]
        if record.exc_info:
            lines.append(self.formatException(record.exc_info))
        if record.stack_info:
            lines.append(self.formatStack(record.stack_info))
        return _indent(redact("\n".join(lines)))


def _indent(text: str) -> str:
    """So that no text from outside looks like a line of its own, or tells a terminal what to do."""
    return CONTROLS.sub(lambda found: repr(found[0])[1:-1], text).replace("\n", "\n    ")


class JsonFormatter(PlainJson):
    """One object on a line: time, level, logger, message, request_id, and what the line is about."""

    def __init__(self) -> None:
        super().__init__(reserved_attrs=list(NOT_TOLD), json_ensure_ascii=False)

    def format(self, record: logging.LogRecord) -> str:
        clean = copy.copy(record)
        clean.msg, clean.args = redact(record.getMessage()), None
        clean.exc_text = None  # another form's
        for name in clean.__dict__.keys() - NOT_TOLD:
            setattr(clean, name, redact_value(getattr(clean, name)))
        return super().format(clean)

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat()
        log_data["level"] = record.levelname.lower()
        log_data["logger"] = record.name
        log_data["message"] = record.message
        if number := request_id():
            log_data["request_id"] = number
        super().add_fields(log_data, record, message_dict)

    def formatException(self, ei: Trouble) -> str:  # noqa: N802 -- logging's name
        return redact(super().formatException(ei))  # type: ignore[arg-type]

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 -- logging's name
        return redact(super().formatStack(stack_info))  # type: ignore[arg-type]
