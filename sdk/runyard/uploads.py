"""An artifact as a form that is read from disk while it is sent."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

CHUNK_BYTES = 256 * 1024
FIELDS = ("name", "description", "category")
# What a file in folders is called in its form, by what its record calls it.
NODE_FIELDS = {
    "uid": "id",
    "path": "prefix",
    **{name: name for name in ("name", "description", "tags", "bindrs", "metadata", "checksum")},
}


class Upload:
    """The body of a multipart POST. `fields` are those of the artifact's record; the rest is left out.

    Raises: OSError if the file is not there.
    """

    def __init__(self, path: Path, fields: Mapping[str, Any]) -> None:
        self._path = path
        self._boundary = uuid4().hex
        form = _node_form(fields) if "uid" in fields else fields
        names = NODE_FIELDS.values() if "uid" in fields else FIELDS
        parts = [self._part(f'name="{name}"', form[name]) for name in names if form.get(name)]
        filename = "file" if "uid" in fields else fields["name"]  # those with an uid have any names
        file_part = self._part(
            f'name="file"; filename="{filename}"', "", "application/octet-stream"
        )
        head = "".join([*parts, file_part.removesuffix("\r\n")])
        self._head = head.encode("utf-8", "backslashreplace")  # file names need not be text
        self._tail = f"\r\n--{self._boundary}--\r\n".encode()
        self.size = len(self._head) + path.stat().st_size + len(self._tail)

    @property
    def content_type(self) -> str:
        return f"multipart/form-data; boundary={self._boundary}"

    def _part(self, disposition: str, text: str, content_type: str = "") -> str:
        kind = f"Content-Type: {content_type}\r\n" if content_type else ""
        head = f"--{self._boundary}\r\nContent-Disposition: form-data; {disposition}\r\n{kind}"
        return f"{head}\r\n{text}\r\n"

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        with self._path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
        yield self._tail


def _node_form(record: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: record[key] if isinstance(record[key], str) else json.dumps(record[key])
        for key, name in NODE_FIELDS.items()
        if record.get(key)
    }
