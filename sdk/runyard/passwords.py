"""A login by name and password: its token lasts for a while, and is fetched anew before it ends.

The password stays in memory. What waits on the disk when the job is over is sent by whoever has a
token then: `RUNYARD_TOKEN`, or another job with the same user name.
"""

from __future__ import annotations

import base64
import json
import time
from contextlib import closing

from runyard import config
from runyard.answers import explain
from runyard.credentials import Credentials, NotLetIn
from runyard.errors import LoginRefused, TransportError
from runyard.notices import warn
from runyard.transport import TIMEOUT_S, Address, HttpTransport, Response

LOGIN_PATH = "/auth/login"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
RENEW_AFTER = 0.8  # of a token's life
FINAL = frozenset({400, 401, 422})  # wrong, or a user who may not sign in; a lock-out passes
COME_BACK = frozenset({408, 425, 429})


class Login(Credentials):
    """A token as long as it is good, if one is given; then the token that the password gets.

    May be shared by threads and survives a fork: the worst of a race is one login too many.
    """

    def __init__(self, username: str, password: str, token: str | None = None) -> None:
        super().__init__(token)
        self.user = username
        self._password = password
        self._renew_at = float("inf")
        self._refusal: Response | None = None

    def check(self, address: Address, *, timeout_s: float) -> None:
        """Log in now. A server that is away is warned about. Raises: LoginRefused."""
        try:
            self._log_in(address, timeout_s)
        except TransportError as error:
            warn(f"{address.url} does not answer ({error}). The job goes on; logging in later.")
        except NotLetIn as error:
            if self._refusal:
                reason = explain(error.answer)
                raise LoginRefused(f"{address.url} refuses '{self.user}': {reason}") from None
            warn(f"{address.url} does not let us in now ({explain(error.answer)}); trying later.")

    def token(self, address: Address) -> str | None:
        """A refused password is not sent again, which could lock its owner out."""
        token = self._token
        if token and time.monotonic() < self._renew_at:
            return token
        if self._refusal is None:
            return self._log_in(address, TIMEOUT_S)
        if other := config.token_for(address.origin):
            return other
        raise NotLetIn(self._refusal)

    def renew(self, refused: str) -> bool:
        if self._token == refused:
            self._token = None
        return self._refusal is None

    def _log_in(self, address: Address, timeout_s: float) -> str:
        from urllib.parse import urlencode  # noqa: PLC0415 -- slow import

        form = urlencode({"username": self.user, "password": self._password}).encode()
        with closing(HttpTransport(address, NOBODY, timeout_s=timeout_s)) as transport:
            answer = transport.post(LOGIN_PATH, form, FORM)
        token = answer.json().get("access_token")
        if answer.status == 200 and isinstance(token, str):
            self._token, self._renew_at = token, time.monotonic() + RENEW_AFTER * lifetime_s(token)
            return token
        self._token = None
        if answer.status in FINAL and "detail" in answer.json():  # not the word of some proxy
            self._refusal = answer
        if 400 <= answer.status < 500 and answer.status not in COME_BACK:
            answer = answer._replace(status=401)  # whatever it is, no record is at fault
        raise NotLetIn(answer)


class _Nobody(Credentials):
    def token(self, address: Address) -> None:  # noqa: ARG002 -- there is none for any address
        return None


NOBODY = _Nobody()


def lifetime_s(token: str) -> float:
    """How long a fresh JWT lasts, by its own words; for ever if it does not say so."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return max(0.0, float(claims["exp"]) - float(claims.get("iat", time.time())))
    except (ValueError, KeyError, IndexError, TypeError):
        return float("inf")
