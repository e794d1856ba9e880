"""Who may make an account: anybody, those with an invitation, or nobody but the administrators.

The link of an invitation is its signed number. It ends with its time, when it is withdrawn, with the
rights of the person who made it, and, where it names an e-mail address, with its use. It is for new
accounts only: otherwise who was sent out of a project could come back by an old link.
"""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

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
from tracking.models import Invitation, Membership, Project, User

INVITATION_S = 7 * 24 * 3600
INVITED_ROLES = (Role.VIEWER, Role.EDITOR)  # a link may be handed on; who owns is chosen by name
_SALT = "runyard.invitation"
_GONE = (
    "This invitation has run out, was used or withdrawn, or is not complete. Ask for another one."
)


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
    invitation = Invitation.objects.create(
        inviter=inviter, email=clean_email(email), project=project, role=role
    )
    return signing.dumps(invitation.pk, salt=_SALT)


def read_invitation(secret: str) -> Invitation:
    """What the link of an invitation promises, while it holds. Raises: NotFound."""
    try:
        number = signing.loads(secret, salt=_SALT, max_age=INVITATION_S)
    except signing.BadSignature as error:
        raise NotFound(_GONE) from error
    invitation = open_invitations().filter(pk=number).first()
    if invitation is None or not invitation.inviter.is_active or _is_used(invitation):
        raise NotFound(_GONE)
    if not may_invite(invitation.inviter, invitation.project):
        raise NotFound(_GONE)
    return invitation


def open_invitations() -> QuerySet[Invitation]:
    """Those that have neither run out nor been withdrawn, the newest first."""
    newest = timezone.now() - timedelta(seconds=INVITATION_S)
    rows = Invitation.objects.filter(
        withdrawn_at=None, created_at__gt=newest, project__deleted_at=None
    )
    return rows.select_related("inviter", "project")


def list_invitations(project: Project | None) -> list[Invitation]:
    """Those by which somebody may still come in: to the project, or to none yet. Two queries."""
    rows = list(open_invitations().filter(project=project))
    bound = [row.email.casefold() for row in rows if row.email]
    there = User.objects.annotate(folded=Lower("email")).filter(folded__in=bound)
    used = set(there.values_list("folded", flat=True))
    return [row for row in rows if row.email.casefold() not in used]


def withdraw_invitation(project: Project | None, number: int) -> Invitation:
    """Its link opens nothing any more. Raises: NotFound."""
    invitation = open_invitations().filter(project=project, pk=number).first()
    if invitation is None:
        raise NotFound("There is no such invitation.")
    invitation.withdrawn_at = timezone.now()
    invitation.save(update_fields=["withdrawn_at"])
    return invitation


def _is_used(invitation: Invitation) -> bool:
    email = invitation.email
    return bool(email) and User.objects.filter(email__iexact=email).exists()


def _require_same_address(invitation: Invitation, email: str) -> None:
    if invitation.email and invitation.email.casefold() != email.casefold():
        raise InvalidInput(f"This invitation is for {invitation.email}.", field="email")
