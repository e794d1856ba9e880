"""To the server and back: one request at a time over a connection that is kept open."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from runyard.credentials import Credentials, NotLetIn
from runyard.errors import TransportError
from runyard.origins import with_scheme

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

TIMEOUT_S = 30.0  # for each read and write, not for the whole of a request
# An upload's answer repeats what was said of the file: up to 8 MB, and escaped it is longer.
MAX_ANSWER_BYTES = 64 * 1024**2
NO_HEADERS: Mapping[str, str] = {}
TRACKER_PREFIX = "/tracker"  # documented as part of `tracker_uri`; the batch door is beside it


class Response(NamedTuple):
    """`headers` have lower-case names."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = NO_HEADERS

    def json(self) -> dict[str, Any]:
        """The body if it is a JSON object, else an empty dict: proxies answer with anything."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}


class Body(Protocol):
    """A body that is made while it is sent."""

    @property
    def size(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...


class Transport(Protocol):
    """What the sender needs to know about networks."""

    def post(self, path: str, body: bytes | Body, headers: Mapping[str, str]) -> Response:
        """Raises: TransportError when no answer came."""

    def close(self) -> None: ...


class Address(NamedTuple):
    """A server, taken apart. `prefix` is "" or a path in front of all of the server's own."""

    scheme: str
    host: str
    port: int | None
    prefix: str

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port else "")

    @property
    def url(self) -> str:
        return self.origin + self.prefix


def parse_address(url: str) -> Address:
    """Raises: ValueError."""
    parts = urlsplit(with_scheme(url))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"The server's address must look like http://host:port, not {url!r}.")
    if parts.username or parts.password:
        raise ValueError("No passwords in the server's address: put a token in RUNYARD_TOKEN.")
    prefix = parts.path.rstrip("/")
    return Address(parts.scheme, parts.hostname, parts.port, prefix.removesuffix(TRACKER_PREFIX))


class HttpTransport:
    """For one thread. Redirects are not followed: they would carry the token elsewhere."""

    def __init__(
        self,
        address: Address,
        credentials: Credentials | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._address = address
        self._credentials = credentials or Credentials()
        self._timeout_s = timeout_s
        self._connection: HTTPConnection | None = None

    def post(self, path: str, body: bytes | Body, headers: Mapping[str, str]) -> Response:
        """`path` is the server's own, without the prefix. Raises: TransportError."""
        return self.request("POST", path, body, headers)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | Body = b"",
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Response:
        """Twice where a token has ended and there is another. Raises: TransportError."""
        try:
            token = self._credentials.token(self._address)
            answer = self._request(method, path, body, _signed(headers, token))
            if answer.status == 401 and token and self._credentials.renew(token):
                token = self._credentials.token(self._address)
                answer = self._request(method, path, body, _signed(headers, token))
        except NotLetIn as error:
            return error.answer
        return answer

    def _request(
        self, method: str, path: str, body: bytes | Body, headers: Mapping[str, str]
    ) -> Response:
        """Twice where an idle connection turns out to be closed."""
        from http.client import HTTPException  # noqa: PLC0415 -- slow import

        if not isinstance(body, bytes):
            self.close()  # a body that is made once wants a connection that is surely open
        was_open = self._connection is not None
        try:
            return self._request_once(method, path, body, headers)
        except (OSError, HTTPException) as error:
            self.close()
            if not was_open or isinstance(error, TimeoutError):
                raise TransportError(_describe(error)) from None
        return self._request(method, path, body, headers)

    def _request_once(
        self, method: str, path: str, body: bytes | Body, headers: Mapping[str, str]
    ) -> Response:
        connection = self._connection = self._connection or self._connect()
        size = len(body) if isinstance(body, bytes) else body.size
        all_headers = {"Accept": "application/json", "Content-Length": str(size), **headers}
        try:
            connection.request(method, self._address.prefix + path, body, all_headers)
        except (BrokenPipeError, ConnectionResetError):
            # A server that has heard enough answers (413, 403) and closes: that is worth reading.
            answer = self._read(connection.getresponse())
            self.close()
            return answer
        return self._read(connection.getresponse())

    def _read(self, answer: HTTPResponse) -> Response:
        body = answer.read(MAX_ANSWER_BYTES)
        if not answer.isclosed():
            self.close()  # more than anybody wants to read
        return Response(
            answer.status, body, {name.lower(): value for name, value in answer.getheaders()}
        )

    def _connect(self) -> HTTPConnection:
        from http import client  # noqa: PLC0415 -- slow import

        kind = client.HTTPSConnection if self._address.scheme == "https" else client.HTTPConnection
        return kind(self._address.host, self._address.port, timeout=self._timeout_s)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _signed(headers: Mapping[str, str], token: str | None) -> Mapping[str, str]:
    return {**headers, "Authorization": f"Bearer {token}"} if token else headers


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
