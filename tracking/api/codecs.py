"""The forms of answers, and who gets which. NumPy columns are written without a Python loop."""

from collections.abc import Iterable
from typing import Any

import msgpack
import numpy as np
import orjson
from numpy.typing import NDArray
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request

from tracking.errors import InvalidInput

INT32 = np.iinfo(np.int32)
PAGE_LENGTH = 100_000  # characters, more than anybody reads


class ColumnJSONRenderer(BaseRenderer):
    """JSON; NaN and infinities are null, as strict JSON has no word for them."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, *args: object, **kwargs: object) -> bytes:
        return orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY)


class LongJSONRenderer(JSONRenderer):
    """JSON of long lists: a third of the time of a list of runs went into writing it."""

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        try:
            return orjson.dumps(data)
        except TypeError:  # a whole number beyond 64 bits, which configs may have
            return bytes(super().render(data, *args, **kwargs))


class ColumnMsgpackRenderer(BaseRenderer):
    """MessagePack; columns are plain arrays, NaN and infinities are themselves."""

    media_type = "application/x-msgpack"
    format = "msgpack"
    charset = None
    render_style = "binary"

    def render(self, data: Any, *args: object, **kwargs: object) -> bytes:
        parts: list[bytes] = []
        _pack(data, parts)
        return b"".join(parts)


class PlainMsgpackRenderer(ColumnMsgpackRenderer):
    """The same under the name that was registered later."""

    media_type = "application/msgpack"


def _pack(data: Any, parts: list[bytes]) -> None:
    if isinstance(data, np.ndarray):
        parts += [_header(0xDD, len(data)), _items(data)]
    elif isinstance(data, dict):
        parts.append(_header(0xDF, len(data)))
        for key, value in data.items():
            parts.append(msgpack.packb(key))
            _pack(value, parts)
    else:
        parts.append(msgpack.packb(data))


def _header(tag: int, size: int) -> bytes:
    return bytes([tag]) + size.to_bytes(4, "big")


def _items(column: NDArray[Any]) -> bytes:
    """Each number behind its type byte: float64, int32 where all fit, else int64."""
    if column.dtype.kind == "f":
        tag, dtype = 0xCB, ">f8"
    elif not len(column) or INT32.min <= column.min() <= column.max() <= INT32.max:
        tag, dtype = 0xD2, ">i4"
    else:
        tag, dtype = 0xD3, ">i8"
    items = np.empty(len(column), [("tag", "u1"), ("number", dtype)])
    items["tag"], items["number"] = tag, column
    return items.tobytes()


class PageRenderer(BrowsableAPIRenderer):
    """The browsable page of an answer; of a long one the beginning, for links take it seconds."""

    def get_content(self, *args: Any, **kwargs: Any) -> str:
        content = super().get_content(*args, **kwargs)
        if len(content) <= PAGE_LENGTH:
            return content
        return f"{content[:PAGE_LENGTH]}\n\n… Cut here: all of it comes with ?format=json"


class FormatNegotiation(DefaultContentNegotiation):
    """`?format=` beats the Accept header; a format that does not exist is a 400."""

    def filter_renderers(
        self,
        renderers: Iterable[BaseRenderer],
        format: str,  # noqa: A002 -- DRF's name
    ) -> list[BaseRenderer]:
        found = list(renderers)
        fitting = [renderer for renderer in found if renderer.format == format]
        if not fitting:
            names = dict.fromkeys(f"'{one.format}'" for one in found if one.format != "api")
            told = f"Invalid format: {format[:40]}. Must be {' or '.join(names)}"
            raise InvalidInput(told, field="format")
        return fitting


class OneForm(BaseContentNegotiation):
    """For what comes in one form only, whatever the Accept header says; errors are JSON."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:  # noqa: ARG002 -- DRF passes it
        return next(iter(parsers), None)

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002 -- DRF passes it
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002 -- as above
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
