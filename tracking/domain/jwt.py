"""Signed tokens of a login. Nothing of them is stored: they end by their time or with the password.

HS256 and nothing else (`SIMPLE_JWT` in the settings), by a key of their own.
"""

from datetime import UTC, datetime
from typing import Any

from django.utils.crypto import constant_time_compare
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from tracking.models import User

STAMP_LENGTH = 32  # hexadecimal digits: 128 bits


def make_jwt(user: User) -> str:
    """A token of `user`. `sub` is the user name, for people who look inside; `user_id` decides."""
    token = AccessToken.for_user(user)
    token["sub"] = user.get_username()
    token["stamp"] = _stamp(user)
    return str(token)


def find_jwt_user(text: str) -> User | None:
    """Whose token it is; None where it is none of ours, too old, or its user's password has changed."""
    try:
        claims = AccessToken(text)  # type: ignore[arg-type]  # checks signature, kind and age
    except (TokenError, RecursionError):  # brackets without end are no token either
        return None
    user = User.objects.filter(pk=_user_id(claims.payload), is_active=True).first()
    stamp = claims.payload.get("stamp")
    if user is None or not isinstance(stamp, str):
        return None
    return user if constant_time_compare(stamp, _stamp(user)) else None


def read_expiry(text: str) -> datetime:
    """When a token ends that `find_jwt_user` has found to be good."""
    claims = AccessToken(text, verify=False)  # type: ignore[arg-type]  # as above
    return datetime.fromtimestamp(claims["exp"], UTC)


def _user_id(claims: dict[str, Any]) -> int:
    text = str(claims.get("user_id"))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _stamp(user: User) -> str:
    """Another one after each change of the password."""
    return user.get_session_auth_hash()[:STAMP_LENGTH]
