"""Answers that carry what was logged, whatever it is."""

import json
import math
from collections.abc import Iterable
from typing import Any

import msgpack
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from tracking.api.codecs import OneForm
from tracking.domain.values import number_word


class WordJSONRenderer(BaseRenderer):
    """Strict JSON; NaN and infinities are the words for them."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, *args: object, **kwargs: object) -> bytes:
        return b"" if data is None else write_json(data)


class ExactMsgpackRenderer(BaseRenderer):
    """MessagePack: NaN is NaN, and text with half a surrogate pair in it stays as it is."""

    media_type = "application/x-msgpack"
    format = "msgpack"
    charset = None
    render_style = "binary"

    def render(self, data: Any, *args: object, **kwargs: object) -> bytes:
        packed: bytes = msgpack.packb(data, unicode_errors="surrogatepass")
        return packed


class JSONUnlessNamed(OneForm):
    """JSON, whatever the Accept header says, unless it or `?format=` names one of the other forms.

    A body is what the view expects first, unless it says to be a form.
    """

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        found = list(parsers)
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        named = [parser for parser in found if parser.media_type == kind]
        return next(iter(named or found), None)

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        found = list(renderers)
        accepted, asked = request.headers.get("Accept", ""), request.GET.get("format")
        named = [one for one in found[1:] if one.media_type in accepted or one.format == asked]
        return super().select_renderer(request, named or found, format_suffix)


def write_json(data: Any) -> bytes:
    try:
        text = json.dumps(data, allow_nan=False)
    except ValueError:
        text = json.dumps(_with_words(data), allow_nan=False)
    return text.encode()


def _with_words(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_words(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_words(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return number_word(value)
    return value
