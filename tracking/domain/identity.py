"""Who is asking: from the text of an Authorization header, or from a session's key.

Views, REST answers and consumers all ask here, so that a credential means the same at every door.
"""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare

from tracking.domain.access import is_open, local_user
from tracking.domain.jwt import find_jwt_user
from tracking.domain.tokens import PREFIX, find_token
from tracking.errors import InvalidCredentials
from tracking.models import User

SCHEMES = {"bearer", "token"}
SIGN_IN = "Sign in, or send a token: Authorization: Bearer …"  # to who comes with nothing


def secret_in(authorization: str) -> str:
    """The token in an Authorization header. Other schemes than ours are as no header at all: a
    proxy may ask for a password of its own.
    """
    scheme, _, secret = authorization.strip().partition(" ")
    return secret.strip() if scheme.lower() in SCHEMES else ""


def anybody() -> User | None:
    """Who somebody without credentials is: the user `local` in open mode, else nobody."""
    return local_user() if is_open() else None


def identify(authorization: str) -> User | None:
    """The user of an Authorization header, with the `token` that narrows him; None without one.

    Raises: InvalidCredentials for a token that is wrong, expired or revoked, in open mode too.
    """
    secret = secret_in(authorization)
    return find_bearer(secret) if secret else None


def find_bearer(secret: str) -> User:
    """The user of an API token or of a JWT. Raises: InvalidCredentials."""
    if secret.startswith(PREFIX):
        user: User = find_token(secret).user
        return user
    if owner := find_jwt_user(secret):
        return owner
    raise InvalidCredentials("There is no such token.")


def find_session_user(session_key: str) -> User | None:
    """The user who is signed in with this session; reads only, and prolongs nothing."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = _active_user(session.get(SESSION_KEY))
    proof = session.get(HASH_SESSION_KEY, "")
    if user and constant_time_compare(proof, user.get_session_auth_hash()):
        return user
    return None  # the password was changed since


def _active_user(user_id: Any) -> User | None:
    return User.objects.filter(pk=user_id, is_active=True).first()


def find_user(authorization: str, session_key: str) -> User:
    """Who comes with these, either of which may be empty. Raises: InvalidCredentials."""
    user = identify(authorization) or (find_session_user(session_key) if session_key else None)
    if user := user or anybody():
        return user
    raise InvalidCredentials(SIGN_IN)
