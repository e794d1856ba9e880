"""What the log shows, and what it does not."""

import json
import logging
import sys
from typing import Any

import pytest
from django.db import OperationalError
from django.test import RequestFactory

from config import env
from config.log_lines import JsonFormatter, LineFormatter, OutageFilter
from config.logging import find_logging
from config.redaction import ReportFilter, redact

SECRET = "s3cr3t-of-mine"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjoxfQ.c2lnbmF0dXJl"
LINK = "eyJhIjoxfQ:1tAbCd:Zm9vYmFyLWJhei1xdXV4LXRoZS1lbmQ"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (f"Authorization: Bearer {SECRET}", "Authorization: ***"),
        (f"got 'Bearer {SECRET}'", "got 'Bearer ***'"),
        (f"token ry_{SECRET} is old", "token *** is old"),
        (f"the key ry_{SECRET}, too", "the key ry_***, too"),
        (f"a JWT {JWT}.", "a JWT ***."),
        (f"{{'password': '{SECRET}', 'a': 1}}", "{'password': ***, 'a': 1}"),
        (f'{{"new_password1": "{SECRET}"}}', '{"new_password1": ***}'),
        (f"password={SECRET}&next=/", "password=***&next=/"),
        (f"{{'HTTP_AUTHORIZATION': 'Basic {SECRET}'}}", "{'HTTP_AUTHORIZATION': ***}"),
        (f"(b'authorization', b'Bearer {SECRET}')", "(b'authorization', ***)"),
        (f"(b'cookie', b'sessionid={SECRET}; a=b')", "(b'cookie', ***)"),
        (f"Cookie: sessionid={SECRET}; csrftoken={SECRET}", "Cookie: ***"),
        (f"sessionid={SECRET}; x", "sessionid=***; x"),
        (f"postgres://runyard:{SECRET}@db:5432/x", "postgres://***@db:5432/x"),
        (f"redis://:{SECRET}@cache/0 is away", "redis://***@cache/0 is away"),
        (f"aws_secret_access_key={SECRET}", "aws_secret_access_key=***"),
        (f"GET /b/o?X-Amz-Signature={SECRET}&x=1", "GET /b/o?X-Amz-Signature=***&x=1"),
        (f"host=db user=a password={SECRET} dbname=x", "host=db user=a password=*** dbname=x"),
        (f"Not Found: /setup/{LINK}", "Not Found: /setup/***"),
        (f"http://h:1/join/{LINK}?x", "http://h:1/join/***?x"),
        (f"/join/{LINK.replace(':', '%3A')} went", "/join/*** went"),
    ],
)
def test_secrets_are_hidden(text, hidden):
    assert redact(text) == hidden
    assert SECRET not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "Not Found: /projects/join/runs/setup",
        "train/token/loss is 3 at step 7",
        "Housekeeping was put off: OperationalError('database is locked')",
        "http://localhost:3141/projects/p?next=/a@b",
        "wrote 17 tokens in 3 s",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redact(text) == text


@pytest.fixture
def _known(monkeypatch):
    url = "postgres://runyard:p%40ssword-1@db/x"
    monkeypatch.setattr(env, "SECRETS", {SECRET, url, ""})
    monkeypatch.setattr("config.redaction.SECRETS", env.SECRETS)


@pytest.mark.usefixtures("_known")
@pytest.mark.parametrize("text", [SECRET, "p%40ssword-1", "p@ssword-1", f"x{SECRET}y"])
def test_what_the_settings_have_read_is_hidden_wherever_it_stands(text):
    assert text not in redact(f"it is {text}, you see")


def record_of(message: str, *args: Any, exc_info: Any = None, **extra: Any) -> logging.LogRecord:
    record = logging.LogRecord("tracking.x", logging.ERROR, "x.py", 1, message, args, exc_info)
    record.__dict__.update(extra)
    return record


def trouble() -> Any:
    try:
        try:
            raise ValueError(f"DATABASE_URL=postgres://me:{SECRET}@db/x")
        except ValueError as error:
            raise RuntimeError({"Authorization": f"Bearer {SECRET}"}) from error
    except RuntimeError:
        return sys.exc_info()


@pytest.mark.parametrize("form", [LineFormatter, JsonFormatter])
def test_no_form_shows_a_secret_of_text_arguments_extras_or_traceback(form):
    record = record_of(
        "came with %s and %r",
        f"Bearer {SECRET}",
        {"password": SECRET},
        exc_info=trouble(),
        headers=[(f"Bearer {SECRET}", b"token=" + SECRET.encode())],
        stack_info=f"Stack: password={SECRET}",
    )
    record.exc_text = f"password={SECRET}"  # as another handler may have left it

    text = form().format(record)

    assert SECRET not in text
    assert "came with Bearer ***" in text
    assert "RuntimeError" in text
    assert "Traceback" in text


def test_json_line_has_its_facts():
    line = json.loads(JsonFormatter().format(record_of("hello %s", "you", status=200, ms=1.5)))

    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "error",
        "logger": "tracking.x",
        "message": "hello you",
        "status": 200,
        "ms": 1.5,
    }


def test_text_from_outside_makes_no_line_of_its_own():
    text = LineFormatter().format(record_of("name: %s", "x\n2026-01-01 INFO root: all is well\r!"))

    assert text.endswith("name: x\n    2026-01-01 INFO root: all is well\\r!")


def test_text_of_an_error_makes_no_line_of_its_own():
    try:
        raise ValueError("no\n2026-01-31 12:00:00,000 ERROR forged")
    except ValueError:
        record = logging.LogRecord("t", logging.ERROR, "f", 1, "broke", (), sys.exc_info())

    _, *rest = LineFormatter().format(record).splitlines()

    assert [line for line in rest if not line.startswith("    ")] == []


def test_text_from_outside_does_not_drive_a_terminal():
    text = "\x1b[2Jgone\x9b1m\u2028next\ttab"
    record = logging.LogRecord("t", logging.ERROR, "f", 1, "%s", (text,), None)

    said = LineFormatter().format(record)

    assert said.endswith("t: \\x1b[2Jgone\\x9b1m\\u2028next\ttab")


def test_formatting_leaves_the_record_to_other_handlers():
    record = record_of("%s", f"password={SECRET}")

    JsonFormatter().format(record)

    assert record.getMessage() == f"password={SECRET}"


@pytest.mark.parametrize(
    ("level", "own", "root"),
    [("debug", "DEBUG", "WARNING"), ("info", "INFO", "WARNING"), ("error", "ERROR", "ERROR")],
)
def test_level_is_of_our_own_lines_first(level, own, root):
    found = find_logging("line", level)

    assert logging.getLevelName(found["loggers"]["tracking"]["level"]) == own
    assert logging.getLevelName(found["root"]["level"]) == root


def test_pages_about_errors_hide_addresses_with_passwords(rf):
    shown = ReportFilter().cleanse_setting("DATABASE_URL", f"postgres://me:{SECRET}@db/x")

    assert SECRET not in shown


def note_503(path: str, error: Exception | None, least: int = logging.WARNING) -> Any:
    """As Django notes an answer of 503. None: nothing is told."""
    trouble = (type(error), error, None) if error else None
    words = ("django.request", logging.ERROR, "x.py", 1, "%s: %s", ("Service Unavailable", path))
    record = logging.LogRecord(*words, trouble)
    record.status_code, record.request = 503, RequestFactory().get(path)
    return record if OutageFilter(least).filter(record) else None


def test_outage_is_a_warning_of_one_line():
    record = note_503("/api/x", OperationalError("refused\nIs it running?"))

    line = LineFormatter().format(record)

    text = " WARNING django.request: Service Unavailable: /api/x (OperationalError: refused)"
    assert line.endswith(text)
    assert "\n" not in line


@pytest.mark.parametrize(
    ("path", "least", "is_told"),
    [
        ("/projects", logging.WARNING, True),
        ("/projects", logging.ERROR, False),
        ("/ready", logging.WARNING, False),
        ("/ready/", logging.WARNING, False),
    ],
)
def test_whether_the_server_is_ready_is_not_told_with_each_question(path, least, is_told):
    assert (note_503(path, None, least) is not None) == is_told


def test_what_breaks_is_an_error_with_its_traceback():
    record = logging.LogRecord("django.request", logging.ERROR, "x.py", 1, "x", (), (None,) * 3)
    record.status_code = 500

    assert OutageFilter(logging.INFO).filter(record)
    assert (record.levelname, record.exc_info) == ("ERROR", (None,) * 3)
