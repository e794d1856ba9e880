"""Request bodies of consumers: inflated under a cap, then decoded."""

import zlib
from typing import Any

import msgpack
import orjson
import zstandard
from django.conf import settings

from tracking.errors import InvalidInput, LimitExceeded


class UnsupportedBody(InvalidInput):
    """A content type or encoding that nobody speaks here."""


def decode_body(body: bytes, *, content_type: str, encoding: str) -> Any:
    """Raises: UnsupportedBody, LimitExceeded, InvalidInput."""
    body = _inflate(body, encoding.strip().lower())
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind in {"application/x-msgpack", "application/msgpack"}:
            return msgpack.unpackb(body)
        if kind == "application/json":
            return orjson.loads(body)
    except (ValueError, msgpack.exceptions.UnpackException, RecursionError) as error:
        raise InvalidInput(f"The body cannot be read as {kind}: {error}") from None
    raise UnsupportedBody("Content-Type must be application/x-msgpack or application/json.")


def _inflate(body: bytes, encoding: str) -> bytes:
    cap = settings.MAX_INFLATED_BYTES
    try:
        if encoding in {"", "identity"}:
            return body
        if encoding == "gzip":
            body = zlib.decompressobj(wbits=31).decompress(body, cap + 1)
        elif encoding == "zstd":
            # A decompressor of its own each time: a shared one is not safe between threads.
            body = zstandard.ZstdDecompressor().stream_reader(body).read(cap + 1)
        else:
            raise UnsupportedBody("Content-Encoding must be gzip or zstd.")
    except (zlib.error, zstandard.ZstdError) as error:
        raise InvalidInput(f"The body is not valid {encoding}: {error}") from None
    if len(body) > cap:
        raise LimitExceeded(f"The body inflates to more than {cap} bytes.")
    return body
