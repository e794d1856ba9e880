"""Who belongs to a project: members, their roles, its owners. One active owner at least stays.

`Project.owner` is the first of the owners and has no membership beside it; further owners are
members with that role. Rows are saved one by one, so that the audit log hears of each.
"""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import transaction

from tracking.enums import Role
from tracking.errors import AlreadyExists, InvalidInput, NotFound
from tracking.models import Membership, Project, User


class Member(NamedTuple):
    user: User
    role: Role


def list_members(project: Project) -> list[Member]:
    """The first owner, then the others by name."""
    rows = project.memberships.exclude(user=project.owner_id).select_related("user")
    others = [Member(row.user, Role(row.role)) for row in rows.order_by("user__username")]
    return ([Member(project.owner, Role.OWNER)] if project.owner else []) + others


def find_member(project: Project, user_id: int) -> Member:
    """Raises: NotFound."""
    for member in list_members(project):
        if member.user.pk == user_id:
            return member
    raise NotFound(f"Project '{project.key}' has no such member.")


def may_leave(members: Sequence[Member], user_id: int | None) -> bool:
    """A member may, but for the only owner: what has none with an active account, nobody manages."""
    owners = [one.user.pk for one in members if one.role is Role.OWNER and one.user.is_active]
    return user_id in {one.user.pk for one in members} and owners != [user_id]


@transaction.atomic
def add_member(project: Project, user: User, *, role: str) -> None:
    """Raises: InvalidInput, AlreadyExists, NotFound."""
    known, project = check_role(role), _lock(project)
    if not user.is_active:
        raise InvalidInput(f"The account of {user.username} is disabled.", field="user")
    if user.pk == project.owner_id or project.memberships.filter(user=user).exists():
        raise AlreadyExists(f"{user.username} is a member already.")
    Membership.objects.create(project=project, user=user, role=known)


@transaction.atomic
def change_role(project: Project, user: User, *, role: str) -> None:
    """Raises: InvalidInput, also for the last owner; NotFound."""
    known, locked = check_role(role), _lock(project)
    if user.pk == locked.owner_id:
        if known is Role.OWNER:
            return
        _give_to(project, _other_owners(locked, user)[0])
        Membership.objects.create(project=locked, user=user, role=known)
        return
    membership = _membership(locked, user)
    if membership.role == Role.OWNER and known is not Role.OWNER:
        _other_owners(locked, user)
    membership.role = known
    membership.save(update_fields=["role"])


@transaction.atomic
def remove_member(project: Project, user: User) -> None:
    """Also by himself. Raises: InvalidInput for the last owner; NotFound."""
    locked = _lock(project)
    if user.pk == locked.owner_id:
        _give_to(project, _other_owners(locked, user)[0])
        return
    membership = _membership(locked, user)
    if membership.role == Role.OWNER:
        _other_owners(locked, user)
    membership.delete()


@transaction.atomic
def transfer_project(project: Project, user: User) -> None:
    """Make `user` the owner; who was it stays as an editor. Raises: InvalidInput, NotFound."""
    locked = _lock(project)
    if not user.is_active:
        raise InvalidInput(f"The account of {user.username} is disabled.", field="user")
    if user.pk == locked.owner_id:
        return
    former = locked.owner
    _give_to(project, user)
    if former:
        Membership.objects.create(project=locked, user=former, role=Role.EDITOR)


@transaction.atomic
def set_public(project: Project, *, is_public: bool) -> None:
    """Let everybody who signs in read the project, or its members alone. Raises: NotFound."""
    _lock(project)
    project.is_public = is_public
    project.save(update_fields=["is_public", "updated_at"])


def check_role(role: str) -> Role:
    """Raises: InvalidInput."""
    if role not in Role.values:
        raise InvalidInput(f"A role is one of {', '.join(Role.values)}.", field="role")
    return Role(role)


def _lock(project: Project) -> Project:
    """Changes of one project's people come one after the other: two owners cannot both go."""
    locked = Project.objects.select_for_update().filter(pk=project.pk).first()
    if locked is None:
        raise NotFound(f"Project '{project.key}' was deleted.")
    return locked


def _membership(project: Project, user: User) -> Membership:
    membership = project.memberships.filter(user=user).first()
    if membership is None:
        raise NotFound(f"{user.username} is no member of project '{project.key}'.")
    return membership


def _other_owners(project: Project, user: User) -> Sequence[User]:
    """Who is left to own the project without `user`. Raises: InvalidInput when nobody is."""
    rows = project.memberships.filter(role=Role.OWNER, user__is_active=True).exclude(user=user)
    owners = [row.user for row in rows.select_related("user").order_by("pk")]
    first = project.owner
    if first and first.is_active and first.pk != user.pk:
        owners.insert(0, first)
    if not owners:
        raise InvalidInput("A project needs an owner: make somebody else one first.", field="role")
    return owners


def _give_to(project: Project, user: User) -> None:
    for membership in project.memberships.filter(user=user):
        membership.delete()
    project.owner = user
    project.save(update_fields=["owner", "updated_at"])
