"""Who may make an account: anybody, those with an invitation, or nobody but the administrators.

An invitation is a signed text in a link. Nothing of it is stored: it ends with its time, with the
rights of the person who made it, and, where it names an e-mail address, with its use. It is for new
accounts only: otherwise who was sent out of a project could come back by an old link.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction

from tracking.domain import audit
from tracking.domain.access import role_in
from tracking.domain.accounts import (
    clean_email,
    clean_username,
    create_account,
    hash_password,
    one_at_a_time,
)
from tracking.enums import Role
from tracking.errors import InvalidInput, NotFound, NotPermitted
from tracking.models import Membership, Project, User

INVITATION_S = 7 * 24 * 3600
INVITED_ROLES = (Role.VIEWER, Role.EDITOR)  # a link may be handed on; who owns is chosen by name
_SALT = "runyard.invitation"
_GONE = "This invitation has run out, was used, or is not complete. Ask for another one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """`email`: the only address it is for; `project`, `role`: what joining gives."""

    inviter: User
    email: str = ""
    project: Project | None = None
    role: str = Role.VIEWER


def register_user(
    username: str, email: str, password: str, *, invitation: Invitation | None = None
) -> User:
    """A new account, member of the project it was invited to.

    Names and e-mail addresses are told apart without capitals. Raises: NotPermitted where one needs
    an invitation; NameTaken; InvalidInput.
    """
    if invitation is None and not is_registration_open():
        raise NotPermitted("Accounts are made by the administrators here; ask one to let you in.")
    username, email = clean_username(username), clean_email(email)
    if invitation:
        _require_same_address(invitation, email)
    hashed = hash_password(password, user=User(username=username, email=email))
    with transaction.atomic():
        one_at_a_time()
        inviter = invitation.inviter if invitation else None
        user = create_account(username, email, hashed, inviter=inviter)
        if invitation and invitation.project:
            with audit.joining(user, inviter):
                Membership.objects.create(
                    project=invitation.project, user=user, role=invitation.role
                )
    return user


def is_registration_open() -> bool:
    return bool(settings.REGISTRATION == "open")


def may_invite(user: User, project: Project | None = None) -> bool:
    """Administrators always; a project's owners to it, unless registration is closed."""
    if user.is_superuser:
        return True
    is_owner = project is not None and role_in(user, project) == Role.OWNER
    return is_owner and settings.REGISTRATION != "closed"


def make_invitation(
    inviter: User, *, email: str = "", project: Project | None = None, role: str = Role.VIEWER
) -> str:
    """The secret of a link that makes an account for who has it. The audit log says that it was made.

    Raises: NotPermitted, InvalidInput.
    """
    if inviter.token is not None or not may_invite(inviter, project):
        raise NotPermitted("You may not invite people here.")
    if role not in INVITED_ROLES:
        raise InvalidInput("An invitation makes viewers or editors.", field="role")
    email = clean_email(email)
    if project:
        promise = f"{role} for {email or 'whoever has the link'}"
        audit.note_change(project, {}, {"invitation": promise})
    terms = {"by": inviter.pk, "email": email, "role": str(role)}
    if project:
        terms["project"] = project.pk
    return signing.dumps(terms, salt=_SALT, compress=True)


def read_invitation(secret: str) -> Invitation:
    """What the link of an invitation promises, while it holds. Raises: NotFound."""
    try:
        terms: dict[str, Any] = signing.loads(secret, salt=_SALT, max_age=INVITATION_S)
    except signing.BadSignature as error:
        raise NotFound(_GONE) from error
    inviter = User.objects.filter(pk=terms["by"], is_active=True).first()
    project = Project.objects.filter(pk=terms.get("project", 0)).first()
    is_whole = project is not None or "project" not in terms
    is_unused = not (terms["email"] and User.objects.filter(email__iexact=terms["email"]).exists())
    if inviter is None or not is_whole or not is_unused or not may_invite(inviter, project):
        raise NotFound(_GONE)
    return Invitation(inviter=inviter, email=terms["email"], project=project, role=terms["role"])


def _require_same_address(invitation: Invitation, email: str) -> None:
    if invitation.email and invitation.email.casefold() != email.casefold():
        raise InvalidInput(f"This invitation is for {invitation.email}.", field="email")
