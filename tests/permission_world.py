"""The world of tests/test_permissions.py: a project, the people around it, and their tokens."""

from dataclasses import dataclass
from typing import Any

from django.test import Client

from tests.factories import keep_file, log_lines, log_points, log_rows, make_run
from tests.people import make_person, share
from tracking.domain.access import local_user
from tracking.domain.jwt import make_jwt
from tracking.domain.runs import update_run
from tracking.domain.tokens import create_token, revoke_token
from tracking.domain.views import save_view
from tracking.enums import Role
from tracking.models import Invitation, Project, User

MARK = "eyes-only"  # stands in all that readers of the project may see, and others may not
SESSIONS = ["anonymous", "stranger", "viewer", "editor", "owner", "admin", "disabled"]
TOKENS = ["reading token", "writing token", "other project's token", "revoked token", "jwt"]
CALLERS = SESSIONS + TOKENS
STANDING_FOR = {
    "project": "proj",
    "project_key": "proj",
    "run": "run-1",
    "run_key": "run-1",
    "field": "notes",
    "metric_name": "loss",
    "metric": "train",
    "topic": "pose",
    "chunk": "0",
    "namespace": "somebody",
    "secret": "wrong",
    "var": "api/nothing",
    "object_id": "1",
    "id": "1",
    "url": "nothing",
    "app_label": "tracking",
    "content_type_id": "1",
}


@dataclass
class World:
    """Who calls, and what stands for the parts of a path."""

    clients: dict[str, Client]
    values: dict[str, str]


def make_world() -> World:
    local_user()
    people = {name: make_person(name) for name in SESSIONS[1:]}
    User.objects.filter(username="admin").update(is_superuser=True, is_staff=True)
    make_run("run-3")
    run = make_run("run-1", config={"word": MARK}, notes=MARK)
    update_run(run, tags=[MARK], is_alive=False)
    other = make_run("run-2", project="other")
    Project.objects.update(owner=people["owner"])
    Project.objects.filter(key="proj").update(notes=MARK, description=MARK, name=MARK)
    project = Project.objects.get(key="proj")
    for name in ("viewer", "editor", "disabled"):
        share(project, people[name], Role.EDITOR if name == "disabled" else Role(name))
    log_points(run, {"loss": [1.0]})
    log_lines(run, MARK)
    log_rows(run, {"word": MARK})
    log_rows(run, {"word": MARK}, stream="tracks/pose")
    artifact = keep_file(run, "a.txt", MARK.encode(), content_type="text/plain", description=MARK)
    picture = keep_file(
        run, "a.png", b"\x89PNG\r\n\x1a\n" + MARK.encode(), content_type="image/png"
    )
    view = save_view(project, name=MARK, page="runs", query="", user=people["owner"])
    clients = make_clients(people, other.project)
    own = create_token(people["owner"], name=MARK, can_write=False)[0]
    values = STANDING_FOR | {
        "project_id": str(project.pk),
        "numbered_project": f"1{project.pk:018d}",
        "run_id": str(run.pk),
        "artifact_id": str(artifact.pk),
        "picture_id": str(picture.pk),
        "experiment": str(run.uid),
        "file": str(artifact.uid),
        "node": str(artifact.uid),
        "view_id": str(view.pk),
        "token_id": str(own.pk),
        "user_id": str(people["viewer"].pk),
        "invitation_id": invite(people["owner"], project),
        "server_invitation_id": invite(people["owner"], None),
    }
    return World(clients, values)


def invite(inviter: User, project: Project | None) -> str:
    return str(Invitation.objects.create(inviter=inviter, project=project).pk)


def make_clients(people: dict[str, User], other: Project) -> dict[str, Client]:
    clients = {name: Client() for name in SESSIONS}
    for name, user in people.items():
        clients[name].force_login(user)
    User.objects.filter(username="disabled").update(is_active=False)
    owner = people["owner"]
    scopes: dict[str, dict[str, Any]] = {
        "reading token": {"can_write": False},
        "writing token": {"can_write": True},
        "other project's token": {"can_write": True, "project": other},
        "revoked token": {"can_write": True},
    }
    for name, scope in scopes.items():
        token, secret = create_token(owner, name=name, **scope)
        clients[name] = bearer(secret)
        if name == "revoked token":
            revoke_token(token)
    return clients | {"jwt": bearer(make_jwt(owner))}


def bearer(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"})
