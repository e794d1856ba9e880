"""The people of the tests: Alice owns, Bob is a teammate, Charlie is a stranger."""

from tracking.enums import Role
from tracking.models import Membership, Project, User


def make_person(username: str) -> User:
    return User.objects.create_user(username)


def share(project: Project, user: User, role: Role = Role.EDITOR) -> None:
    Membership.objects.create(project=project, user=user, role=role)
