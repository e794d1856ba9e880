import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Group

from tests.factories import make_run
from tests.people import make_person
from tracking.domain import audit
from tracking.domain.registration import register_user
from tracking.domain.runs import update_run
from tracking.domain.tokens import create_token, find_token
from tracking.models import Invitation, Run, User

pytestmark = pytest.mark.django_db
LIST = "/admin/auditlog/logentry/"


def make_edit(notes: str = "better", key: str = "run-1") -> tuple[Run, User]:
    run, alice = make_run(key), make_person(f"alice-{key}")
    with audit.acting(lambda: alice):
        update_run(run, notes=notes, is_alive=False)
    return run, alice


def test_entry_tells_who_when_and_what(client):
    run, alice = make_edit("<b>better</b>")
    entry = LogEntry.objects.latest("pk")

    listed = client.get(LIST).content.decode()
    page = client.get(f"{LIST}{entry.pk}/change/").content.decode()

    assert f'<a href="/admin/tracking/run/{run.pk}/change/">proj / run-1</a>' in listed
    assert alice.username in listed
    assert "&lt;b&gt;better&lt;/b&gt;" in page
    assert "<b>better</b>" not in page
    assert f"{entry.timestamp:%Y-%m-%d %H:%M:%S}" in page


def test_token_is_named(client):
    _, secret = create_token(make_person("alice"), name="job", can_write=True)
    with audit.acting(lambda: find_token(secret).user):
        update_run(make_run(), notes="x", is_alive=False)

    page = client.get(f"{LIST}{LogEntry.objects.latest('pk').pk}/change/").content.decode()

    assert f"job ({secret[:15]}…)" in page
    assert secret not in page


def test_inviter_is_named(client):
    invitation = Invitation.objects.create(inviter=make_person("alice"))
    register_user("bob", "", "password", invitation=invitation)

    page = client.get(f"{LIST}{LogEntry.objects.latest('pk').pk}/change/").content.decode()

    assert "Invited by" in page
    assert "alice" in page


def test_nobody_changes_the_log(client):
    make_edit()
    entry = LogEntry.objects.latest("pk")
    chosen = {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"}

    assert client.post(f"{LIST}{entry.pk}/change/", {"object_repr": "x"}).status_code == 403
    assert client.post(f"{LIST}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"{LIST}add/", {}).status_code == 403
    client.post(LIST, chosen)
    assert LogEntry.objects.get(pk=entry.pk).object_repr == "proj / run-1"


def test_list_takes_as_many_queries_for_many_as_for_few(client, count_queries):
    make_edit()
    client.get(LIST)
    few = count_queries(LIST)
    for number in range(5):
        make_edit(key=f"more-{number}")

    assert count_queries(LIST) == few


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("what=run", True),
        ("what=project", False),
        ("by=people", True),
        ("by=server", False),
        ("action=changed", True),
        ("action=deleted", False),
        ("action=x", False),
        ("q=run-1", True),
        ("q=nothing", False),
        ("what=x", False),
    ],
)
def test_list_is_narrowed(client, query, shown):
    make_edit()

    page = client.get(f"{LIST}?{query}").content.decode()

    assert ('<td class="field-fields_changed">notes</td>' in page) == shown


def test_groups_that_came_and_went_are_shown(client):
    alice, group = make_person("alice"), Group.objects.create(name="staff")
    alice.groups.add(group)

    page = client.get(f"{LIST}{LogEntry.objects.latest('pk').pk}/change/").content.decode()

    assert "+ staff" in page
