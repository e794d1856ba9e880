"""Who is asking: from the text of an Authorization header, or from a session's key.

Views, REST answers and consumers all ask here, so that a credential means the same at every door.
"""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare

from tracking.domain.access import local_user
from tracking.domain.tokens import PREFIX, find_token
from tracking.errors import InvalidCredentials
from tracking.models import User

SCHEMES = {"bearer", "token"}


def is_open() -> bool:
    """Whether nobody has to say who they are."""
    return bool(settings.ACCESS == "open")


def anybody() -> User | None:
    """Who somebody without credentials is: the user `local` in open mode, else nobody."""
    return local_user() if is_open() else None


def identify(authorization: str) -> User | None:
    """The user of an Authorization header, with the `token` that narrows him; None without one.

    Other schemes than ours are as none: a proxy may ask for a password of its own.
    Raises: InvalidCredentials for a token that is wrong, expired or revoked, in open mode too.
    """
    scheme, _, secret = authorization.strip().partition(" ")
    if scheme.lower() not in SCHEMES:
        return None
    return find_bearer(secret.strip())


def find_bearer(secret: str) -> User:
    """The user of an API token or of a JWT. Raises: InvalidCredentials."""
    if secret.startswith(PREFIX):
        return find_token(secret).user
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
