"""Asks the server who we are to it, and what our token may, before a training finds that out."""

from typing import NamedTuple
from urllib.parse import unquote

from runyard.sender import BATCH_PATH
from runyard.transport import HttpTransport, Response

ME = "/auth/me"  # asks for a token in every mode of the server
SCOPE_HEADER = "runyard-token-scope"


class Scope(NamedTuple):
    """`project`: the key of the only one that the token is for."""

    user: str
    may_write: bool
    project: str

    def __str__(self) -> str:
        may = "may read and write" if self.may_write else "may only read"
        return f"{may}, only in project {self.project}" if self.project else may


def ask_door(transport: HttpTransport) -> Response | None:
    """Knock where records go; what the server says if it does not let us in. Raises: TransportError."""
    answer = transport.request("GET", BATCH_PATH)
    return (
        None if answer.status == 405 else answer
    )  # it only takes; who may not come in is told first


def ask_scope(transport: HttpTransport) -> Scope | Response:
    """With a token. The answer itself is given back if it is none of ours. Raises: TransportError."""
    answer = transport.request("GET", ME)
    user = answer.json().get("username")
    if answer.status != 200 or not isinstance(user, str):
        return answer
    may, _, project = answer.headers.get(SCOPE_HEADER, "write").partition("; project=")
    return Scope(user, may == "write", unquote(project))
