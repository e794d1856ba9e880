"""Files sent to people: to be saved, or as pictures, sound and films within a page.

Nothing in a file ever runs in the pages' own origin: what is not to be saved comes with a policy
that takes every right from it, and with a type that its first bytes have earned.
"""

import re
from collections.abc import AsyncIterator
from typing import Any

from django.core.files.base import File
from django.http import (
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.utils.http import content_disposition_header

from tracking.domain.pieces import Pieces

# `sandbox` takes scripts, forms and the origin away. Styles are for SVG, which cannot do without.
SEALED = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
MAX_DIGITS = 19  # of a byte's place; more is no place in a file


def send_file(
    file: "File[bytes]", *, name: str, size_bytes: int, is_head: bool = False
) -> HttpResponseBase:
    """Streams piece by piece. Django's own FileResponse reads all of it into memory under ASGI."""
    return _stream(
        file,
        size_bytes,
        is_head=is_head,
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": content_disposition_header(as_attachment=True, filename=name),
            "Content-Length": str(size_bytes),
            "X-Content-Type-Options": "nosniff",
        },
    )


def _stream(
    file: "File[bytes]", size_bytes: int, *, is_head: bool, **said: Any
) -> HttpResponseBase:
    """For HEAD the file is not read: nobody takes it."""
    if not is_head:
        return StreamingHttpResponse(Pieces(file, size_bytes), **said)
    file.close()
    return HttpResponse(**said)


def send_elsewhere(link: str) -> HttpResponseRedirect:
    """The link opens the file for a few minutes, so nobody is to keep it."""
    return HttpResponseRedirect(link, headers={"Cache-Control": "private, no-store"})


def send_text(
    lines: AsyncIterator[str], *, name: str, content_type: str = "text/plain"
) -> StreamingHttpResponse:
    """Lines of any number, as a text to be saved."""
    return StreamingHttpResponse(
        lines,
        content_type=f"{content_type}; charset=utf-8",
        headers={
            "Content-Disposition": content_disposition_header(as_attachment=True, filename=name),
            "X-Content-Type-Options": "nosniff",
        },
    )


def send_media(
    file: "File[bytes]", *, content_type: str, size_bytes: int, asked: str, is_head: bool = False
) -> HttpResponseBase:
    """The file to be shown; `asked` is the Range header, so that films can be wound.

    Several ranges at once, and what is no range at all, get the whole file, as HTTP allows.
    """
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=3600",
        "Content-Disposition": "inline",
        "Content-Security-Policy": SEALED,
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    span = find_span(asked, size_bytes)
    if span is None:
        file.close()
        headers["Content-Range"] = f"bytes */{size_bytes}"
        return HttpResponse(status=416, headers=headers, content_type="text/plain")
    start, end = span
    file.seek(start)
    is_part = end - start < size_bytes
    if is_part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size_bytes}"
    headers["Content-Length"] = str(end - start)
    return _stream(
        file,
        end - start,
        is_head=is_head,
        status=206 if is_part else 200,
        content_type=content_type,
        headers=headers,
    )


def find_span(asked: str, size_bytes: int) -> tuple[int, int] | None:
    """Which bytes a Range header asks for, the end excluded; None when there are none there."""
    found = RANGE.fullmatch(asked.strip())
    first, last = found.groups() if found else ("", "")
    if (not first and not last) or max(len(first), len(last)) > MAX_DIGITS:
        return 0, size_bytes
    if not first:
        start, end = max(0, size_bytes - int(last)), size_bytes
    else:
        start, end = int(first), min(int(last) + 1, size_bytes) if last else size_bytes
    if last and first and int(last) < int(first):
        return 0, size_bytes  # nonsense is to be ignored
    return (start, end) if start < end else None
