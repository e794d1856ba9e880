"""An artifact as a form that is read from disk while it is sent."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

CHUNK_BYTES = 256 * 1024
FIELDS = ("name", "description", "category")


class Upload:
    """The body of a multipart POST. `fields` are those of the artifact's record; the rest is left out.

    Raises: OSError if the file is not there.
    """

    def __init__(self, path: Path, fields: Mapping[str, str]) -> None:
        self._path = path
        self._boundary = uuid4().hex
        parts = [self._part(f'name="{name}"', fields[name]) for name in FIELDS if fields.get(name)]
        file_part = self._part(
            f'name="file"; filename="{fields["name"]}"', "", "application/octet-stream"
        )
        self._head = "".join([*parts, file_part.removesuffix("\r\n")]).encode()
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
