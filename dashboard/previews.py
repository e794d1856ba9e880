"""What can be shown of a file without opening it on the reader's machine.

Files are hostile: what a file is told to be counts for nothing. Pictures, sound and films are known
by their first bytes; everything else is text that the page escapes. Nothing is read whole.
"""

import codecs
import csv
import json
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from django.core.files.base import File

TEXT_BYTES = 64 * 1024
JSON_BYTES = 512 * 1024  # a longer one is shown as text, from its beginning
TABLE_ROWS = 100
TABLE_COLUMNS = 50
CELL_LENGTH = 200
HEAD_BYTES = 512

MEDIA = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg"), "image"),
    **dict.fromkeys((".wav", ".mp3", ".ogg", ".oga", ".flac", ".m4a"), "audio"),
    **dict.fromkeys((".mp4", ".m4v", ".webm"), "video"),
}
TABLES = {".csv": ",", ".tsv": "\t"}
TEXTS = {
    *(".txt", ".md", ".rst", ".log", ".out", ".err", ".diff", ".patch", ".tex", ".lock"),
    *(".json", ".jsonl", ".ndjson", ".ipynb", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf"),
    *(".env", ".properties", ".xml", ".html", ".htm", ".css", ".js", ".mjs", ".ts", ".tsx"),
    *(".py", ".pyi", ".sh", ".bash", ".zsh", ".bat", ".ps1", ".r", ".jl", ".sql", ".c", ".cc"),
    *(
        ".cpp",
        ".h",
        ".hpp",
        ".cu",
        ".cuh",
        ".rs",
        ".go",
        ".java",
        ".kt",
        ".scala",
        ".lua",
        ".proto",
    ),
    "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """`kind`: image, audio, video, text, table or none; `note` says what is not shown, and why."""

    kind: str
    note: str = ""
    text: str = ""
    rows: list[list[str]] = field(default_factory=list)


def can_preview(name: str) -> bool:
    """By the name alone: a list of files opens none of them."""
    suffix = _suffix(name)
    return suffix in MEDIA or suffix in TABLES or suffix in TEXTS


def media_type(file: "File[bytes]", name: str) -> str | None:
    """The content type a browser may be told, by the first bytes; None for what is no picture,
    sound or film. Never a type that runs scripts in a page of its own: see `PREVIEW_POLICY`."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if _suffix(name) == ".svg":
        return "image/svg+xml" if b"<svg" in head or head.lstrip().startswith(b"<?xml") else None
    return sniff(head)


def sniff(head: bytes) -> str | None:
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return "audio/mp4" if head[8:11] == b"M4A" else "video/mp4"
    if head[:1] == b"\xff" and head[1:2] in {b"\xfb", b"\xf3", b"\xf2", b"\xfa"}:
        return "audio/mpeg"
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), None)


MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"OggS": "audio/ogg",
    b"fLaC": "audio/flac",
    b"ID3": "audio/mpeg",
    b"\x1aE\xdf\xa3": "video/webm",
}


def preview_file(file: "File[bytes]", *, name: str, size_bytes: int) -> Preview:
    """What to show of the file."""
    suffix = _suffix(name)
    if suffix in MEDIA:
        kind = media_type(file, name)
        if kind is None:
            return Preview(kind="none", note=f"This is no {MEDIA[suffix]}, whatever its name says.")
        return Preview(kind=kind.partition("/")[0])
    file.seek(0)
    if suffix == ".json" and size_bytes <= JSON_BYTES:
        return _preview_json(file.read(JSON_BYTES))
    head = file.read(TEXT_BYTES)
    text = decode(head, is_whole=size_bytes <= len(head))
    if text is None:
        return Preview(kind="none", note="This file is not text.")
    is_cut = size_bytes > len(head)
    if suffix in TABLES:
        return _preview_table(text, TABLES[suffix], is_cut=is_cut)
    return Preview(kind="text", text=text, note="The first 64 KB." if is_cut else "")


def decode(head: bytes, *, is_whole: bool) -> str | None:
    """UTF-8, or UTF-16 with its mark; None for what is not text."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", errors="replace")
    if b"\0" in head:
        return None
    decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
    return decoder.decode(head, final=is_whole)  # a character that the cut goes through is left out


def _preview_json(content: bytes) -> Preview:
    text = decode(content, is_whole=True)
    if text is None:
        return Preview(kind="none", note="This file is not text.")
    note = ""
    try:
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        note = "This is no valid JSON."
    if len(text) > TEXT_BYTES:
        text, note = text[:TEXT_BYTES], f"{note} The first 64 KB.".strip()
    return Preview(kind="text", text=text, note=note)


def _preview_table(text: str, delimiter: str, *, is_cut: bool) -> Preview:
    lines = text.splitlines(keepends=True)
    first = lines[0] if lines else ""
    if delimiter == "," and first.count(";") > first.count(","):
        delimiter = ";"
    rows = _take_rows(csv.reader(lines, delimiter=delimiter))
    if is_cut and len(rows) <= TABLE_ROWS:
        rows = rows[:-1]  # the cut may go through it
    is_long = is_cut or len(rows) > TABLE_ROWS
    is_wide = any(len(row) > TABLE_COLUMNS for row in rows)
    shown = [[cell[:CELL_LENGTH] for cell in row[:TABLE_COLUMNS]] for row in rows[:TABLE_ROWS]]
    notes = [f"The first {len(shown)} rows."] if is_long else []
    notes += [f"The first {TABLE_COLUMNS} columns."] if is_wide else []
    return Preview(kind="table", rows=shown, note=" ".join(notes))


def _take_rows(reader: Any) -> list[list[str]]:
    """One more than is shown tells that there are more."""
    rows = []
    for row in reader:
        if row:
            rows.append(row)
        if len(rows) > TABLE_ROWS:
            break
    return rows


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
