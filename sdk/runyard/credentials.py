"""Who we are to the server: a token that is given, or else the one of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runyard.config import token_for

if TYPE_CHECKING:
    from runyard.transport import Address, Response


class NotLetIn(Exception):
    """There is no token to be had; `answer` is what the server said to that."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Credentials:
    """Asked before each request. `user` tells apart whose records wait on a machine."""

    user = ""

    def __init__(self, token: str | None = None) -> None:
        self._token = token

    def token(self, address: Address) -> str | None:
        """Raises: NotLetIn, TransportError."""
        return self._token or token_for(address.origin)

    def renew(self, refused: str) -> bool:  # noqa: ARG002 -- a login makes use of it
        """Whether there is another token to try than the one that the server refused."""
        return False
