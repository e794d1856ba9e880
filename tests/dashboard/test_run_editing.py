"""Editing a run's and a project's own words where they stand."""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from dashboard.editing import join_tags, split_tags
from tests.factories import make_run
from tests.people import make_person, share
from tracking.domain.edits import fingerprint
from tracking.domain.runs import update_run
from tracking.enums import Role
from tracking.models import Project, Run, User

pytestmark = pytest.mark.django_db
PATH = "/projects/proj/runs/run-1"
HTMX = {"HX-Request": "true"}


def save(client: Client, field: str, text: str, seen: object = "", **form: str) -> HttpResponse:
    """Send the form as HTMX does; `seen` is the value that the form was opened with."""
    data = {"text": text, "seen": fingerprint(seen), **form}
    return client.post(f"{PATH}/{field}", data, headers=HTMX)


@pytest.mark.parametrize(
    ("field", "before", "typed", "after"),
    [
        ("name", "run-1", "  Größe – <b> ", "Größe – <b>"),
        ("tags", ["old"], 'a, "b, c", , a', ["a", "b, c"]),
        ("tags", ["old"], "", []),
        ("notes", "old", "# New\r\n\r\nline", "# New\n\nline"),
    ],
)
def test_saved_field_comes_back_as_it_reads(
    client: Client, field: str, before: object, typed: str, after: object
) -> None:
    make_run(tags=["old"], notes="old")
    was = Run.objects.get()

    response = save(client, field, typed, before)

    stored = Run.objects.get()
    assert (response.status_code, getattr(stored, field)) == (200, after)
    assert stored.last_seen_at == was.last_seen_at, "an edit is no sign of life"
    assert stored.revision == was.revision + 1
    page = response.content.decode()
    assert page.startswith(f'\n<div id="edit-{field}"')
    assert "<form" not in page
    assert stored.key == "run-1"


def test_renaming_reloads_the_page_because_curves_carry_the_name(client: Client) -> None:
    make_run()

    assert save(client, "name", "new", "run-1").headers["HX-Refresh"] == "true"
    assert "HX-Refresh" not in save(client, "tags", "a", []).headers


def test_form_opens_with_what_is_stored(client: Client) -> None:
    make_run(notes="</textarea><b>", tags=['a"b', "c,d"])

    notes = client.get(f"{PATH}/notes?edit=1", headers=HTMX).content.decode()
    tags = client.get(f"{PATH}/tags?edit=1", headers=HTMX).content.decode()
    page = client.get(f"{PATH}/notes?edit=1").content.decode()

    assert "\n&lt;/textarea&gt;&lt;b&gt;</textarea>" in notes
    assert f'name="seen" value="{fingerprint("</textarea><b>")}"' in notes
    assert 'value="&quot;a&quot;&quot;b&quot;, &quot;c,d&quot;"' in tags
    assert "<html" not in notes
    assert "<html" in page
    assert "csrfmiddlewaretoken" in page


def test_refused_text_stays_in_the_form_beside_the_reason(client: Client) -> None:
    make_run(tags=["old"])

    response = save(client, "tags", "x" * 251, ["old"])

    assert (response.status_code, Run.objects.get().tags) == (400, ["old"])
    page = response.content.decode()
    assert "tags: a tag has 1 to 250 characters." in page
    assert "x" * 251 in page
    assert f'name="seen" value="{fingerprint(["old"])}"' in page


@pytest.mark.parametrize(
    ("field", "typed", "reason"),
    [
        ("name", " ", "name has 1 to 250 characters."),
        ("name", "x" * 251, "name has 1 to 250 characters."),
        ("name", "a\x07b", "name has control characters in it."),
        ("notes", "a\0b", "notes has a NUL character in it."),
        ("notes", "x" * 100_001, "notes has 100001 characters; at most 100000 are allowed."),
        ("tags", "x" * 200_000, "The tags are too long."),
        ("tags", ",".join(map(str, range(101))), "tags has 101 tags; at most 100 are allowed."),
    ],
)
def test_what_cannot_be_stored_is_refused(
    client: Client, field: str, typed: str, reason: str
) -> None:
    run = make_run()
    before = Run.objects.values().get()

    response = save(client, field, typed, getattr(run, field))

    assert (response.status_code, Run.objects.values().get()) == (400, before)
    assert reason in response.content.decode()


def test_edit_of_an_older_text_shows_both_and_overwrites_nothing(client: Client) -> None:
    run = make_run(notes="first")
    update_run(run, notes="of <b>Bob</b>")

    refused = save(client, "notes", "of Alice", "first")

    page = refused.content.decode()
    assert (refused.status_code, Run.objects.get().notes) == (409, "of <b>Bob</b>")
    assert '<pre class="conflict-text">of &lt;b&gt;Bob&lt;/b&gt;</pre>' in page
    assert "\nof Alice</textarea>" in page
    assert f'name="seen" value="{fingerprint("of <b>Bob</b>")}"' in page

    assert save(client, "notes", "of both", "of <b>Bob</b>").status_code == 200
    assert Run.objects.get().notes == "of both"


def test_same_form_sent_twice_is_no_conflict(client: Client) -> None:
    make_run(notes="first")

    answers = [save(client, "notes", "second", "first").status_code for _ in range(2)]

    assert answers == [200, 200]


def test_preview_shows_the_notes_and_saves_nothing(client: Client) -> None:
    make_run(notes="first")

    response = save(client, "notes", "**bold** <script>", "older", preview="1")

    page = response.content.decode()
    assert (response.status_code, Run.objects.get().notes) == (200, "first")
    assert "<p><strong>bold</strong> &lt;script&gt;</p>" in page
    assert "\n**bold** &lt;script&gt;</textarea>" in page
    assert f'name="seen" value="{fingerprint("older")}"' in page, "a preview hides no conflict"


def test_form_works_without_htmx(client: Client) -> None:
    make_run(notes="first")
    form = {"text": "second", "seen": fingerprint("first")}

    response = client.post(f"{PATH}/notes", form, follow=True)

    assert response.redirect_chain == [(PATH, 302)]
    assert "Saved the notes of “run-1”." in response.content.decode()
    assert client.post(f"{PATH}/notes", form | {"text": "x"}).status_code == 409


def test_long_notes_are_whole_on_their_own_page(client: Client) -> None:
    make_run(notes="A line.\n" * 5_000 + "THE END")

    assert "THE END" not in client.get(PATH).content.decode()
    assert "THE END" in client.get(f"{PATH}/notes").content.decode()


def test_project_has_tags_description_and_notes_to_edit(client: Client) -> None:
    make_run()
    base = "/projects/proj"
    for field, text in {"tags": "a, b", "description": "short", "notes": "*long*"}.items():
        seen = fingerprint([] if field == "tags" else "")
        response = client.post(f"{base}/{field}", {"text": text, "seen": seen}, headers=HTMX)
        assert response.status_code == 200

    project = Project.objects.get()
    assert (project.tags, project.description, project.notes) == (["a", "b"], "short", "*long*")
    assert "<em>long</em>" in client.get(f"{base}/notes").content.decode()
    about = client.get(f"{base}/about").content.decode()
    assert "<p>short</p>" in about
    assert "<em>long</em>" in about
    assert about.count("?edit=1") == 6, "a link, and the same for HTMX, for each field"
    stale = {"text": "x", "seen": fingerprint("")}
    assert client.post(f"{base}/notes", stale, headers=HTMX).status_code == 409


def test_reader_sees_no_way_to_edit_and_is_refused(
    client: Client, as_user: Callable[[User], None]
) -> None:
    run = make_run(notes="words")
    bob = make_person("bob")
    share(run.project, bob, Role.VIEWER)
    as_user(bob)

    page = client.get(PATH).content.decode()

    assert "words" in page
    assert "?edit=1" not in page
    assert "/deletion" not in page
    assert client.get(f"{PATH}/notes").status_code == 200
    assert client.get(f"{PATH}/notes?edit=1").status_code == 403
    assert save(client, "notes", "x", "words").status_code == 403
    assert client.post("/projects/proj/notes", {"text": "x"}).status_code == 403
    assert Run.objects.get().notes == "words"


def test_stranger_finds_nothing_to_edit(client: Client, as_user: Callable[[User], None]) -> None:
    make_run()
    as_user(make_person("charlie"))

    for path in (f"{PATH}/notes", f"{PATH}/notes?edit=1", "/projects/proj/notes"):
        assert client.get(path).status_code == 404
    assert save(client, "notes", "x", "").status_code == 404


def test_forged_form_is_refused() -> None:
    make_run(notes="first")
    form = {"text": "second", "seen": fingerprint("first")}

    response = Client(enforce_csrf_checks=True).post(f"{PATH}/notes", form)

    assert (response.status_code, Run.objects.get().notes) == (403, "first")


@pytest.mark.parametrize(
    "tags", [[], ["a"], ["a", "b c"], ["a,b", 'say "x"', "'"], ['"'], ["ü", "–", "a;b"]]
)
def test_tags_survive_their_form(tags: list[str]) -> None:
    assert split_tags(join_tags(tags)) == tags


def test_run_is_archived_and_restored_from_its_page(client: Client) -> None:
    make_run()
    form = {"run": "run-1", "next": PATH}

    archived = client.post("/projects/proj/runs/actions", form | {"action": "archive"}, follow=True)
    assert archived.redirect_chain == [(PATH, 302)]
    assert "<dt>Archived</dt>" in archived.content.decode()
    assert 'name="action" value="restore"' in archived.content.decode()

    restored = client.post("/projects/proj/runs/actions", form | {"action": "restore"}, follow=True)
    assert "<dt>Archived</dt>" not in restored.content.decode()
    assert f'name="next" value="{PATH}"' in restored.content.decode()
