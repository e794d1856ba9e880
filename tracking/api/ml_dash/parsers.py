"""Bodies of clients that repeat a refused call for ever: whatever is JSON for them is read."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from tracking.errors import FileTooLarge

MAX_DEPTH = 64  # what lies deeper is read as the text of itself
MAX_DIGITS = 400  # beyond every float; Python's own readers refuse 4,300 of them
# A text that does not end goes to the end: nothing in it is looked at twice.
TOKENS = re.compile(r'"(?:[^"\\]|\\.)*+\\?(?:"|\Z)|[\[\]{}]', re.DOTALL)


class AnyJSONParser(BaseParser):
    """JSON with NaN and infinities, numbers of any length and objects of any depth.

    It takes as many bytes as an inflated batch may have: clients send a thousand rows at once,
    however long they are. The framework's own parser would read no more than a form may have.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,  # noqa: ARG002 -- DRF passes it
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        encoding = (parser_context or {}).get("encoding") or "utf-8"
        body = stream.read(settings.MAX_INFLATED_BYTES + 1)
        if len(body) > settings.MAX_INFLATED_BYTES:
            told = (
                f"The body is too large: at most {settings.MAX_INFLATED_BYTES} bytes are allowed."
            )
            raise FileTooLarge(told)
        try:
            return read_json(body.decode(encoding))
        except (ValueError, LookupError) as error:
            raise ParseError(f"JSON parse error - {error}") from error


def read_json(text: str) -> Any:
    """Raises: ValueError."""
    try:
        return json.loads(text, parse_int=_read_int)
    except RecursionError:
        return json.loads(_flatten(text), parse_int=_read_int)


def _read_int(digits: str) -> int | str:
    return int(digits) if len(digits) <= MAX_DIGITS else digits


def _flatten(text: str) -> str:
    """The same, with what is nested too deeply as a text."""
    parts: list[str] = []
    depth = done = start = 0
    for token in TOKENS.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth == MAX_DEPTH:
                start = token.start()
        elif token[0] in "]}":
            depth -= 1
            if depth == MAX_DEPTH - 1:
                parts += [text[done:start], json.dumps(text[start : token.end()])]
                done = token.end()
    if depth >= MAX_DEPTH:
        raise json.JSONDecodeError("Nested too deeply, and not closed", text, start)
    return "".join([*parts, text[done:]])
