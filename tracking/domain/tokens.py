"""API tokens: what a program says instead of a password. Only digests of the secrets are stored.

A token never gives more than its user may, and nothing that manages people, passwords or tokens.
"""

from datetime import datetime, timedelta
from secrets import compare_digest

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from knox.crypto import hash_token
from knox.models import get_digest_token
from knox.settings import CONSTANTS

from tracking.domain.accounts import RESERVED_NAMES
from tracking.domain.values import clean_text
from tracking.errors import InvalidCredentials, InvalidInput, LimitExceeded, NotPermitted
from tracking.models import NAME_LENGTH, ApiToken, Project, User

PREFIX = "ry_"  # so that people, and scanners for leaked secrets, know one when they see it
MAX_TOKENS = 100  # usable ones of a user
USE_NOTED_EVERY = timedelta(minutes=1)  # a write for each request would cost more than the request


def create_token(
    user: User,
    *,
    name: str,
    can_write: bool,
    project: Project | None = None,
    expires_at: datetime | None = None,
    creator: User | None = None,
) -> tuple[ApiToken, str]:
    """Make a token for `user`; returns it and its secret, which nobody can read again.

    `creator` is who asks for it, where that is not the user. With a `project` it is good for that
    one alone: whether its user may see it is for the caller to check, and asked again at each use.
    Raises: InvalidInput, LimitExceeded, NotPermitted.
    """
    refuse_token(creator or user)
    name = check_token_name(name)
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidInput("A token must expire in the future.", field="expires_at")
    if usable_tokens(user).count() >= MAX_TOKENS:
        raise LimitExceeded(f"At most {MAX_TOKENS} tokens are allowed; revoke some.")
    digest, secret = get_digest_token(PREFIX)
    token = ApiToken(
        user=user,
        digest=digest,
        token_key=secret[: CONSTANTS.TOKEN_KEY_LENGTH],
        name=name,
        can_write=can_write,
        project=project,
        expiry=expires_at,
    )
    token.save()
    return token, str(secret)


def current_tokens(user: User) -> QuerySet[ApiToken]:
    """Those that are not revoked."""
    return ApiToken.objects.filter(user=user, revoked_at=None)


def usable_tokens(user: User) -> QuerySet[ApiToken]:
    return current_tokens(user).filter(Q(expiry=None) | Q(expiry__gt=timezone.now()))


def find_token(secret: str) -> ApiToken:
    """The token with this secret; its user, who has it as `token`, is loaded with it.

    Notes the use, at most once a minute. Raises: InvalidCredentials, which says more than "wrong"
    only to who has the secret.
    """
    token = _look_up(secret)
    if token is None:
        raise InvalidCredentials("There is no such API token.")
    if token.revoked_at:
        raise InvalidCredentials(f"The API token “{token.name}” was revoked.")
    if token.is_expired:
        raise InvalidCredentials(f"The API token “{token.name}” has expired.")
    if not token.user.is_active:
        raise InvalidCredentials("The account of this API token is disabled.")
    if token.user.username in RESERVED_NAMES and settings.ACCESS != "open":
        raise InvalidCredentials("This API token is of open mode; make one of your own.")
    _note_use(token)
    token.user.token = token
    return token


def token_allows(token: ApiToken | None, project: Project | None, *, write: bool) -> bool:
    """Whether the scope of the token, if there is one, covers this; without a project: a new one."""
    if token is None:
        return True
    covers = token.project_id is None or (project is not None and token.project_id == project.pk)
    return covers and (token.can_write or not write)


def require_scope(token: ApiToken | None, project: Project | None) -> None:
    """As `token_allows`, for writing; says how narrow the token is. Raises: NotPermitted."""
    if token is None or token_allows(token, project, write=True):
        return
    if not token.can_write or token.project is None:
        raise NotPermitted("This API token may only read.")
    raise NotPermitted(f"This API token is for project '{token.project.key}' alone.")


def refuse_token(user: User) -> None:
    """For what only people do themselves. Raises: NotPermitted."""
    if user.token is not None:
        raise NotPermitted("An API token may not do this: sign in.")


def revoke_token(token: ApiToken) -> None:
    """The next request with it is refused. Its row stays, to tell what it was."""
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])


def check_token_name(name: str) -> str:
    """The name without blanks at its ends. Raises: InvalidInput."""
    name = clean_text(name, "name").strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise InvalidInput(
            f"The name of a token is one line of 1 to {NAME_LENGTH} characters.", field="name"
        )
    return name


def _look_up(secret: str) -> ApiToken | None:
    """The shown beginning finds the row, the digest of the whole decides: in constant time."""
    if not secret.startswith(PREFIX) or not secret.isascii() or not secret.isprintable():
        return None
    digest = hash_token(secret)
    rows = ApiToken.objects.select_related("user", "project")
    for token in rows.filter(token_key=secret[: CONSTANTS.TOKEN_KEY_LENGTH]):
        if compare_digest(token.digest, digest):
            return token
    return None


def _note_use(token: ApiToken) -> None:
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at <= now - USE_NOTED_EVERY:
        token.last_used_at = now
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
