"""Reads from a server what jobs have sent there. Unlike logging, this waits, and may fail."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgpack

from runyard.answers import advise, explain
from runyard.credentials import Credentials
from runyard.drafts import drafted
from runyard.errors import AccessRefused, DamagedFile, TransportError
from runyard.transport import Address, HttpTransport, Response, parse_address

if TYPE_CHECKING:
    from http.client import HTTPResponse

TIMEOUT_S = 15.0  # for each read; somebody is waiting
CHUNK_BYTES = 256 * 1024
MAX_ANSWER_BYTES = 256 * 1024**2  # a page of many long rows
JSON, MSGPACK = "application/json", "application/x-msgpack"


class Remote:
    """A connection for each question: they are few, and asked from any thread or forked child.

    All methods raise TransportError where no sensible answer comes, AccessRefused where we are not
    let in, FileNotFoundError for what is not there, and ValueError for what the server refuses.
    """

    def __init__(self, url: str, credentials: Credentials | None = None) -> None:
        self._address = parse_address(url)
        self._credentials = credentials or Credentials()

    def get(
        self, path: str, query: Mapping[str, object] | None = None, *, accept: str = JSON
    ) -> dict[str, Any]:
        """`accept`: MSGPACK tells NaN from its name, where the server has it so."""
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path, accept=accept)

    def fetch(
        self,
        path: str,
        query: Mapping[str, object] | Sequence[tuple[str, object]],
        *,
        accept: str = JSON,
    ) -> Response:
        """The answer itself, whatever its body and headers are."""
        return self._request("GET", f"{path}?{urlencode(query)}", accept=accept)

    def save(self, path: str, file: IO[bytes]) -> None:
        """Write the answer's bytes as they come."""
        self._request("GET", path, sink=file.write)

    def patch(self, path: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        return self._ask("PATCH", path, json.dumps(changes).encode())

    def delete(self, path: str) -> dict[str, Any]:
        return self._ask("DELETE", path)

    def download(self, path: str, target: Path, checksum: str) -> None:
        """The file is there when it is whole. Raises: DamagedFile, and nothing is left behind."""
        digest = hashlib.sha256()
        with drafted(target) as draft:
            with draft.open("wb") as file:

                def take(chunk: bytes) -> None:
                    digest.update(chunk)
                    file.write(chunk)

                self._request("GET", path, sink=take)
            if digest.hexdigest() != checksum:
                raise DamagedFile(f"{target.name} has not arrived as it was: its checksum differs.")

    def _ask(self, method: str, path: str, body: bytes = b"", accept: str = JSON) -> dict[str, Any]:
        content = _decode(self._request(method, path, body, accept=accept))
        if not isinstance(content, dict):
            raise TransportError(f"{self._address.url} answers with something else than JSON")
        return content

    def _request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        sink: Callable[[bytes], object] | None = None,
        accept: str = JSON,
    ) -> Response:
        with contextlib.closing(_Transport(self._address, self._credentials, sink)) as transport:
            headers = {"Accept": accept, **({"Content-Type": JSON} if body else {})}
            answer = transport.request(method, path, body, headers)
        if answer.status != 200:
            raise self._error(answer)
        return answer

    def _error(self, answer: Response) -> Exception:
        answer = answer._replace(
            body=json.dumps(_decode(answer), default=str, skipkeys=True).encode()
        )
        url, why = self._address.url, explain(answer)
        if 300 <= answer.status < 400 or answer.status in {401, 403, 407}:
            return AccessRefused(f"{url} does not let us in ({why}): {advise(answer, url)}.")
        if "detail" in answer.json() and answer.status in {404, 410}:
            return FileNotFoundError(why.partition(" ")[2])
        if "detail" in answer.json() and answer.status < 500:
            return ValueError(why.partition(" ")[2])
        return TransportError(f"{url} does not answer ({why})")


def _decode(answer: Response) -> Any:
    """In whichever form it came; None for what has none."""
    try:
        if "msgpack" in answer.headers.get("content-type", ""):
            return msgpack.unpackb(
                answer.body, strict_map_key=False, unicode_errors="surrogatepass"
            )
        return json.loads(answer.body)
    except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException):
        return None


class _Transport(HttpTransport):
    """One whose answers are long; with a `sink` the bytes of a good one go there."""

    def __init__(
        self, address: Address, credentials: Credentials, sink: Callable[[bytes], object] | None
    ) -> None:
        super().__init__(address, credentials, timeout_s=TIMEOUT_S)
        self._sink = sink

    def _read(self, answer: HTTPResponse) -> Response:
        headers = {name.lower(): value for name, value in answer.getheaders()}
        if self._sink is None or answer.status != 200:
            return Response(answer.status, answer.read(MAX_ANSWER_BYTES), headers)
        for chunk in _chunks(answer):
            self._sink(chunk)
        return Response(answer.status, b"", headers)


def _chunks(answer: HTTPResponse) -> Iterator[bytes]:
    while chunk := answer.read(CHUNK_BYTES):
        yield chunk
