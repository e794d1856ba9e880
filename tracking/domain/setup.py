"""The first start: no password comes with Runyard; a link on the console makes the first administrator."""

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core import signing
from django.db import transaction
from django.db.models import Q

from tracking.domain.accounts import (
    clean_email,
    clean_username,
    create_account,
    hash_password,
    one_at_a_time,
)
from tracking.errors import NotFound
from tracking.models import User

SETUP_LINK_S = 24 * 3600
_SALT = "runyard.setup"
_GONE = "This link has run out, or there is an administrator already."


def needs_setup() -> bool:
    """Whether people sign in here, and nobody could do so as an administrator."""
    cannot = Q(password="") | Q(password__startswith=UNUSABLE_PASSWORD_PREFIX) | Q(is_service=True)
    administrators = User.objects.filter(is_superuser=True, is_active=True).exclude(cannot)
    return settings.ACCESS == "login" and not administrators.exists()


def make_setup_secret() -> str | None:
    """The secret of a link to the set-up page; None where no set-up is needed.

    It is worth something for a day, and only until the first administrator is made.
    """
    return signing.dumps({}, salt=_SALT) if needs_setup() else None


def check_setup_secret(secret: str) -> None:
    """Raises: NotFound."""
    try:
        signing.loads(secret, salt=_SALT, max_age=SETUP_LINK_S)
    except signing.BadSignature as error:
        raise NotFound(_GONE) from error
    if not needs_setup():
        raise NotFound(_GONE)


def set_up(secret: str, *, username: str, email: str, password: str) -> User:
    """Make the first administrator; of several that try at once, one does.

    Raises: NotFound, NameTaken, InvalidInput.
    """
    check_setup_secret(secret)
    username, email = clean_username(username), clean_email(email)
    hashed = hash_password(password, user=User(username=username, email=email))
    with transaction.atomic():
        one_at_a_time()
        check_setup_secret(secret)
        return create_account(username, email, hashed, is_staff=True, is_superuser=True)
