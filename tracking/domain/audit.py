"""The audit log: what people changed, who and when, from what to what. Trainings are not in it.

django-auditlog keeps it. Its signals watch the models that are saved row by row (`watch`). Runs,
which trainings write to all the time, and whatever is changed by a statement of our own are noted
by the domain's verbs.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from django.db.models.signals import pre_save

from tracking.models import (
    ApiToken,
    Artifact,
    Invitation,
    Membership,
    Project,
    Run,
    SavedView,
    User,
)

Result = TypeVar("Result")
Values = Mapping[str, Any]
MAX_TEXT_LENGTH = 10_000  # characters of a value: notes may be a book
CHANGED, DELETED = LogEntry.Action.UPDATE, LogEntry.Action.DELETE
# Named one by one: a new field that is written all the time must not fill the log.
FIELDS: dict[type[Model], list[str]] = {
    ApiToken: ["user", "name", "token_key", "can_write", "project", "expiry", "revoked_at"],
    Invitation: ["project", "inviter", "email", "role", "withdrawn_at"],
    Membership: ["project", "user", "role"],
    Project: [
        *("key", "name", "namespace", "owner", "is_public", "description", "notes", "tags"),
        *("keep_full_days", "keep_thinned_days", "quota_bytes"),
    ],
    SavedView: ["project", "name", "page", "query", "created_by"],
}

# A question, because REST finds out in its view who asks. Context variables go with a request into
# every thread that serves it, and into no other one.
_who: ContextVar[Callable[[], Any]] = ContextVar("who", default=lambda: None)
_inviter: ContextVar[str] = ContextVar("inviter", default="")


def watch() -> None:
    """Called once, when the apps are ready."""
    account = ["username", "first_name", "last_name", "email", "password"]
    rights = ["is_active", "is_staff", "is_superuser", "is_service"]
    auditlog.register(
        User,
        include_fields=account + rights,
        mask_fields=["password"],
        mask_callable=f"{__name__}.hide",
        m2m_fields={"groups", "user_permissions"},
    )
    auditlog.register(Group, include_fields=["name"], m2m_fields={"permissions"})
    for model, names in FIELDS.items():
        auditlog.register(model, include_fields=names)
    pre_save.connect(_sign_new, sender=LogEntry, dispatch_uid="sign")


@contextmanager
def acting(who: Callable[[], Any]) -> Iterator[None]:
    """What is changed inside was changed by the user whom `who` returns then."""
    before = _who.set(who)
    try:
        yield
    finally:
        _who.reset(before)


@contextmanager
def joining(user: User, inviter: User | None) -> Iterator[None]:
    """What is changed inside was changed by who makes this account of their own, as they were invited."""
    before = _inviter.set(inviter.username if inviter else "")
    try:
        with acting(lambda: user):
            yield
    finally:
        _inviter.reset(before)


def carry(work: Callable[[], Result]) -> Callable[[], Result]:
    """The same work, for another thread to do on behalf of the same user."""
    who = _who.get()

    def carried() -> Result:
        with acting(who):
            return work()

    return carried


def note_change(changed: Model, before: Values, after: Values) -> None:
    """Note the values that differ; nothing if none does."""
    note_changes([(changed, before, after)])


def note_changes(changes: Iterable[tuple[Model, Values, Values]]) -> None:
    """As `note_change`, for many objects in one statement."""
    entries = []
    for changed, before, after in changes:
        names = [name for name in after if before.get(name) != after[name]]
        if names:
            difference = {name: [_text(before.get(name)), _text(after[name])] for name in names}
            entries.append(_entry(changed, CHANGED, difference))
    LogEntry.objects.bulk_create(entries, batch_size=100)


def note_deletions(deleted: Iterable[Model]) -> None:
    """Call it while the rows are there."""
    LogEntry.objects.bulk_create(
        [_entry(one, DELETED, {}) for one in deleted],
        batch_size=100,
    )


def hide(_text: str) -> str:
    """What stands in the log for a password, old or new."""
    return "•••"


def _entry(about: Model, action: int, changes: dict[str, list[str]]) -> LogEntry:
    entry = LogEntry(
        content_type=ContentType.objects.get_for_model(about),
        object_pk=about.pk,
        object_id=about.pk,
        object_repr=full_name(about),
        action=action,
        changes=changes,
    )
    _sign(entry)
    return entry


def named(runs: QuerySet[Run], *fields: str) -> QuerySet[Run]:
    """The runs with what their full names are made of, and these fields."""
    bare = runs.select_related(None).select_related("project")
    return bare.only("key", "project__key", *fields)


def full_name(about: Model) -> str:
    """A run's key says little without its project's."""
    if isinstance(about, Run):
        return f"{about.project.key} / {about.key}"
    if isinstance(about, Artifact):
        return f"{full_name(about.run)} / {about}"
    return str(about)


def _sign(entry: LogEntry) -> None:
    """Who it was, with which token, and by whose invitation."""
    user = _who.get()()
    if isinstance(user, User) and user.pk:
        entry.actor_id, entry.actor_email = user.pk, user.email
        known = {"token": str(user.token or ""), "invited by": _inviter.get()}
        entry.additional_data = {name: text for name, text in known.items() if text} or None


def _sign_new(instance: LogEntry, **_: Any) -> None:
    if instance.pk is None:
        _sign(instance)


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    return text if len(text) <= MAX_TEXT_LENGTH else f"{text[:MAX_TEXT_LENGTH]}…"
