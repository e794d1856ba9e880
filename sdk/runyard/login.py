"""`runyard login` and `runyard logout`: a token for this machine, asked for once."""

import contextlib
import getpass
import sys
from contextlib import closing

from runyard import dash_tokens, package_tokens
from runyard.answers import explain
from runyard.config import server_url, token_of_environment
from runyard.credentials import Credentials
from runyard.errors import TransportError
from runyard.origins import LOOPBACK
from runyard.scope import Scope, ask_door, ask_scope
from runyard.tokens import forget_token, is_sendable, store_token, stored_token
from runyard.transport import Address, HttpTransport, Response, parse_address

NOBODY = (
    "No token was given: run this in a terminal, which asks for it, or pass --token. Jobs need no"
    " login where RUNYARD_TOKEN is set."
)


def login(url: str | None, token: str | None, *, for_ml_dash: bool = False) -> int:
    """Returns 1 if the server does not take the token; then nothing is kept.

    Where it can be encrypted it is kept for our `ml_dash`, too; with `for_ml_dash` it must be, and
    it is put where the published package looks for it.
    """
    if for_ml_dash and not dash_tokens.is_available():
        _say(f"For ML-Dash the token is encrypted, which needs cryptography: {dash_tokens.EXTRA}")
        return 1
    address = parse_address(server_url(url))
    if address.scheme == "http" and address.host not in LOOPBACK:
        _say(f"Note: {address.url} is not encrypted; who listens on the way can read the token.")
    token = (token or _ask(address)).strip()
    if not is_sendable(token):
        _say("That is no token: it is one word that begins with ry_.")
        return 1
    try:
        with closing(HttpTransport(address, Credentials(token), timeout_s=10.0)) as transport:
            scope = ask_door(transport) or ask_scope(transport)
    except TransportError as error:
        _say(f"{address.url} does not answer ({error}). Nothing was kept.")
        return 1
    if isinstance(scope, Response):
        _say(f"{address.url} does not take the token ({explain(scope)}). Nothing was kept.")
        return 1
    _keep(token, scope, address.origin)
    if for_ml_dash:
        place = package_tokens.store_token(token)
        _say(
            f"The published ml-dash finds it in {place}, and sends it to whatever dash_url it has."
        )
    return 0


def _keep(token: str, scope: Scope, origin: str) -> None:
    path = store_token(origin, token)
    _say(f"You are {scope.user} on {origin}. The token is kept in {path}, for you alone.")
    if dash_tokens.is_available():
        _say(f"For ML-Dash it is in {dash_tokens.store_token(origin, token)}, encrypted.")
    if scope.project or not scope.may_write:
        _say(f"Note: the token {scope}.")
    if token_of_environment(origin):
        _say("Note: RUNYARD_TOKEN is set, and comes first: unset it to use this one.")


def logout(url: str | None) -> int:
    address = parse_address(server_url(url))
    was_dash = dash_tokens.is_available() and _forget_dash_token(address.origin)
    if forget_token(address.origin) or was_dash:
        _say(f"The token for {address.origin} is forgotten here. Revoke it on your profile page.")
    else:
        _say(f"There was no token for {address.origin}.")
    return 0


def _forget_dash_token(origin: str) -> bool:
    for token in (stored_token(origin), dash_tokens.stored_token(origin)):
        if package_tokens.forget_token(token):
            _say(f"The published ml-dash has it no more in {package_tokens.token_path()}.")
    return dash_tokens.forget_token(origin)


def _ask(address: Address) -> str:
    """Raises: ValueError where nobody answers."""
    token = ""
    if sys.stdin is not None and sys.stdin.isatty():
        _say(f"Make a token on {address.url}/profile/tokens and paste it here.")
        with contextlib.suppress(EOFError):
            token = getpass.getpass("Token (not shown): ")
    elif sys.stdin is not None:
        token = sys.stdin.readline()
    if not token.strip():
        raise ValueError(NOBODY)
    return token


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
