"""Every route × method with a run, and then its project, in the trash: nobody finds anything there."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from tests.permission_routes import ROUTES, address, rules_of, set_mode
from tests.permission_rules import ADMIN, TWINS
from tests.permission_world import MARK, World, make_world
from tests.test_permissions import call, text_of
from tracking.domain.trash import discard_projects, discard_runs
from tracking.models import Project, Run

pytestmark = pytest.mark.django_db
WHO = ["admin", "writing token"]
# They show words of the project itself, which is still there while one of its runs is not.
OF_RUN = ("run", "run_key", "run_id", "experiment", "node", "file", "artifact_id")
# The name is free: they make a new project of it. In open mode nobody is invited to anything.
FREE = {
    "POST /api/projects/<project>/experiments",
    "POST /api/v1/projects/<project>/runs",
    "POST /tracker/api/v1/projects/<project>/runs",
    "POST /projects/<project_key>/invitations",
}
TRASH = ("/projects/<project_key>/trash", "/trash")


@pytest.fixture(scope="module", params=["run", "project"])
def world(
    request: Any,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, World]]:
    plain = override_settings(
        MEDIA_ROOT=tmp_path_factory.mktemp("artifacts"),
        REQUESTS_PER_MINUTE=0,
        REQUESTS_PER_HOUR=0,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    )
    with plain, django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("tracking.domain.writer.write", lambda work: work())
        patch.setattr(
            "drf_spectacular.generators.SchemaGenerator.get_schema", lambda *_, **__: {"paths": {}}
        )
        with transaction.atomic():
            made = make_world()
            if request.param == "run":
                Project.objects.filter(key="proj").update(notes="", description="", name="proj")
                Project.objects.get(key="proj").views.all().delete()
                discard_runs(Run.objects.filter(key="run-1"))
            else:
                discard_projects(Project.objects.filter(key="proj"))
            yield request.param, made
            transaction.set_rollback(True)


@pytest.mark.parametrize("caller", WHO)
@pytest.mark.parametrize("mode", ["login", "open"])
def test_nothing_in_the_trash_is_found(
    world: tuple[str, World], settings: Any, mode: str, caller: str
) -> None:
    set_mode(settings, mode)
    what, made = world
    parts = OF_RUN if what == "run" else (*OF_RUN, "project", "project_key", "project_id")
    wrong = {}
    for path in ROUTES:
        if path.startswith((*TRASH, f"{ADMIN}auditlog")):
            continue  # where it is meant to be seen
        names_it = any(f"<{part}>" in path for part in parts) and not path.startswith(ADMIN)
        for method in rules_of(path):
            answer, text = call(made.clients[caller], method, path, made.values)
            is_found = names_it and answer.status_code < 400 and not _leads_away(answer)
            if is_found or (MARK.encode() in text and "token" not in path):
                wrong[f"{method} {path}"] = answer.status_code

    assert {name: status for name, status in wrong.items() if name not in FREE} == {}
    assert what == "project" or not FREE & set(wrong)


def _leads_away(answer: Any) -> bool:
    return answer.headers.get("Location", "").startswith(("/login?", "/admin/login/?"))


@pytest.mark.parametrize("caller", WHO)
def test_nor_by_other_forms_of_an_address(
    world: tuple[str, World], settings: Any, caller: str
) -> None:
    set_mode(settings, "login")
    _, made = world

    found = [
        path
        for path, headers in TWINS
        if MARK.encode()
        in text_of(made.clients[caller].get(address(path, made.values), headers=headers))
    ]

    assert found == []
