"""Accounts: making one, and what its owner changes of it. Who may make one: `registration`, `setup`."""

from typing import Any

from django.conf import settings
from django.contrib.auth import password_validation
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from tracking.domain import audit
from tracking.domain.values import clean_text
from tracking.errors import InvalidInput, NameTaken, NotFound
from tracking.models import User

RESERVED_NAMES = {"local"}  # everybody in open mode: a person of that name would become everybody
MAX_PASSWORD_LENGTH = 1_000


def create_account(
    username: str, email: str, password: str, *, inviter: User | None = None, **rights: bool
) -> User:
    """A new account, made by who will use it; `rights` are fields of User.

    To be called after `one_at_a_time`, in its transaction. The password comes hashed: that takes
    longer than a transaction may. Raises: NameTaken.
    """
    if username.casefold() in RESERVED_NAMES or _is_known("username", username):
        raise NameTaken(f"The user name “{username}” is taken.")
    _require_free_email(email)
    user = User(username=username, email=email, password=password, **rights)
    with audit.joining(user, inviter):
        user.save(force_insert=True)
    return user


@transaction.atomic
def update_account(user: User, *, first_name: str, last_name: str, email: str) -> None:
    """Raises: InvalidInput; NameTaken for somebody else's e-mail address; NotFound."""
    changes = {
        "first_name": _clean_line(first_name, "first_name"),
        "last_name": _clean_line(last_name, "last_name"),
        "email": clean_email(email),
    }
    one_at_a_time()
    if changes["email"].casefold() != user.email.casefold():
        _require_free_email(changes["email"])
    stored = User.objects.filter(pk=user.pk).first()
    if stored is None:
        raise NotFound("This account was deleted.")
    for field, value in changes.items():
        setattr(stored, field, value)
        setattr(user, field, value)
    stored.save(update_fields=list(changes))


def one_at_a_time() -> None:
    """Until the transaction ends, nobody else makes an account: names are compared by reading them.

    SQLite has one writer anyway; elsewhere a row that is always there is the lock.
    """
    ContentType.objects.select_for_update().get(app_label="tracking", model="user")


def clean_username(username: str) -> str:
    """The name in its one spelling. Raises: InvalidInput."""
    username = User.normalize_username(username.strip())
    _check_field("username", username)
    return username


def clean_email(email: str) -> str:
    """The address, which may be empty. Raises: InvalidInput."""
    email = User.objects.normalize_email(email.strip())
    if email:
        _check_field("email", email)
    return email


def hash_password(password: str, *, user: User) -> str:
    """Rules for passwords hold where people sign in. `user`: whom it must not be like.

    Raises: InvalidInput.
    """
    if not 1 <= len(password) <= MAX_PASSWORD_LENGTH:
        raise InvalidInput(
            f"A password has 1 to {MAX_PASSWORD_LENGTH} characters.", field="password"
        )
    if settings.ACCESS == "login":
        _run_checks("password", password_validation.validate_password, password, user)
    return make_password(password)


def _require_free_email(email: str) -> None:
    if email and _is_known("email", email):
        raise NameTaken(f"There is an account with the e-mail address “{email}” already.")


def _is_known(field: str, text: str) -> bool:
    """Compared here: SQLite tells only the letters of English apart from their capitals."""
    wanted = text.casefold()
    known = User.objects.values_list(field, flat=True)
    return any(value.casefold() == wanted for value in known.iterator())


def _clean_line(text: str, field: str) -> str:
    """One line of text that is printed as it is. Raises: InvalidInput."""
    text = clean_text(text, field).strip()
    if len(text) > 150 or not (text == "" or text.isprintable()):
        raise InvalidInput("A name is one line of at most 150 characters.", field=field)
    return text


def _check_field(name: str, text: str) -> None:
    """By the rules of User. Raises: InvalidInput."""
    field: Any = User._meta.get_field(name)  # noqa: SLF001 -- Django's published way to a field
    _run_checks(name, field.clean, text, None)


def _run_checks(field: str, check: Any, *args: Any) -> None:
    try:
        check(*args)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages), field=field) from error


def find_account(username: str) -> User:
    """The person who can be let in by that name. Raises: InvalidInput."""
    person = _reachable().filter(username__iexact=username.strip()).first()
    if person is None:
        raise InvalidInput(f"Nobody has the user name “{username}” here.", field="username")
    return person


def search_accounts(text: str) -> list[User]:
    """At most 20 people, by a part of any of their names; without a text nobody."""
    named = (
        Q(username__icontains=text) | Q(first_name__icontains=text) | Q(last_name__icontains=text)
    )
    return list(_reachable().filter(named).order_by("username")[:20]) if text.strip() else []


def _reachable() -> QuerySet[User]:
    return User.objects.filter(is_active=True).exclude(username__in=RESERVED_NAMES)
