"""The files of a run: their list, and the bytes as they are sent."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.http import HttpResponse
from django.test import AsyncClient, Client

from dashboard.downloads import find_span
from tests.factories import keep_file, make_run
from tracking.enums import Source
from tracking.models import Artifact

pytestmark = pytest.mark.django_db
PATH = "/projects/proj/runs/run-1"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(240)) * 10
SEALED = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@pytest.fixture(autouse=True)
def _store(settings: object, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]


def names(page: HttpResponse) -> list[str]:
    return re.findall(r'<span class="file-name">(.*?)<', page.content.decode())


def test_files_are_listed_as_they_are_stored_and_not_what_was_replaced(client: Client) -> None:
    run = make_run()
    kept = keep_file(run, "model.pt", b"x" * 2048)
    gone = keep_file(run, "gone.pt", b"x")
    Artifact.objects.filter(pk=gone.pk).update(deleted_at="2026-01-01T00:00Z")

    page = client.get(PATH).content.decode()

    assert f'href="{PATH}/artifacts/{kept.pk}"' in page
    assert "2.0\xa0KB" in page
    assert f'title="{"ab12" * 16}">ab12ab12</span>' in page
    assert "gone.pt" not in page
    assert "/api/projects/proj/runs/run-1/artifacts/download" in page
    for path in ("", "/preview", "/content"):
        assert client.get(f"{PATH}/artifacts/{gone.pk}{path}").status_code == 404


def test_only_what_can_be_shown_offers_a_preview(client: Client) -> None:
    run = make_run()
    shown = keep_file(run, "log.txt", b"")
    keep_file(run, "model.pt", b"")

    page = client.get(f"{PATH}/artifacts").content.decode()

    previews = set(re.findall(r'hx-get="(\S+/preview)"', page))
    assert previews == {f"{PATH}/artifacts/{shown.pk}/preview"}


def test_files_are_cut_into_pages_and_filtered(
    client: Client, fragment: Callable[..., HttpResponse]
) -> None:
    run = make_run()
    for number in range(26):
        keep_file(run, f"f{number:02}.txt", b"")
    keep_file(run, "z.bin", b"", description="weights", category="data")

    second = fragment(f"{PATH}/artifacts", "run-artifacts", page="2")

    assert names(second) == ["f25.txt", "z.bin"]
    assert names(client.get(f"{PATH}/artifacts", {"q": "WEIGHTS"})) == ["z.bin"]
    assert names(client.get(f"{PATH}/artifacts", {"q": "data"})) == ["z.bin"]
    assert names(client.get(f"{PATH}/artifacts", {"q": "no such"})) == []


def test_files_lie_in_their_folders(client: Client) -> None:
    run = make_run()
    for path, name in [("models/<b>", "w.pt"), ("", "a.txt"), ("models/<b>", "v.pt")]:
        keep_file(run, name, b"", path=path, tags=["<i>", *"abcdefgh"])

    page = client.get(f"{PATH}/artifacts").content.decode()

    assert re.findall(r"</svg>(models.*?)</h3>", page) == ["models/&lt;b&gt;"]
    assert names(client.get(f"{PATH}/artifacts")) == ["a.txt", "v.pt", "w.pt"]
    assert page.index("a.txt") < page.index("file-folder") < page.index("v.pt")
    assert page.count("is-inside") == 2
    assert re.findall(r'<span class="tag".*?>(.*?)<', page)[:8] == ["&lt;i&gt;", *"abcdefg"]
    assert page.count("and 1 more") == 3


def test_whole_paths_and_tags_are_filtered_by(client: Client) -> None:
    run = make_run()
    keep_file(run, "w.pt", b"", path="models/best", tags=["prod"])
    keep_file(run, "w.pt", b"", path="models")

    for query, count in (("models/best/w", 1), ("models/", 2), ("PROD", 1), ("best/prod", 0)):
        assert len(names(client.get(f"{PATH}/artifacts", {"q": query}))) == count


def test_empty_list_tells_how_to_keep_a_file(client: Client) -> None:
    make_run()
    make_run("dash", source=Source.ML_DASH)

    assert "run.log_artifact(" in client.get(f"{PATH}/artifacts").content.decode()
    dash = client.get("/projects/proj/runs/dash/artifacts").content.decode()
    assert "exp.files(" in dash


def test_file_list_takes_as_many_queries_for_three_files_as_for_one(
    count_queries: Callable[[str], int],
) -> None:
    run = make_run()
    keep_file(run, "a", b"")
    queries = count_queries(f"{PATH}/artifacts")
    keep_file(run, "b", b"")
    keep_file(run, "c", b"")

    assert count_queries(f"{PATH}/artifacts") == queries


@pytest.mark.django_db(transaction=True)
async def test_artifact_is_sent_to_be_saved_and_never_shown(async_client: AsyncClient) -> None:
    run = await sync_to_async(make_run)()
    content = b"<script>" * 100_000
    kept = await sync_to_async(keep_file)(run, "page.html", content)

    response = await async_client.get(f"{PATH}/artifacts/{kept.pk}")

    assert b"".join([chunk async for chunk in response]) == content
    assert {name: response[name] for name in ("Content-Type", "X-Content-Type-Options")} == {
        "Content-Type": "application/octet-stream",
        "X-Content-Type-Options": "nosniff",
    }
    assert response["Content-Disposition"] == 'attachment; filename="page.html"'
    assert response["Content-Length"] == "800000"


def test_artifact_of_another_run_is_not_found(client: Client) -> None:
    make_run()
    kept = keep_file(make_run("run-2"), "model.txt", b"x")

    for path in ("", "/preview", "/content"):
        assert client.get(f"{PATH}/artifacts/{kept.pk}{path}").status_code == 404
        assert client.get(f"{PATH}/artifacts/{10**30}{path}").status_code == 404


@pytest.mark.django_db(transaction=True)
async def test_picture_is_sent_sealed(async_client: AsyncClient) -> None:
    run = await sync_to_async(make_run)()
    kept = await sync_to_async(keep_file)(run, "plot.png", PNG)

    response = await async_client.get(f"{PATH}/artifacts/{kept.pk}/content")

    assert b"".join([chunk async for chunk in response]) == PNG
    sent = ("Content-Type", "Content-Security-Policy", "X-Content-Type-Options", "Accept-Ranges")
    assert [response[name] for name in sent] == ["image/png", SEALED, "nosniff", "bytes"]
    assert (response.status_code, response["Content-Length"]) == (200, str(len(PNG)))


@pytest.mark.django_db(transaction=True)
async def test_range_of_a_film_is_sent_alone(async_client: AsyncClient) -> None:
    run = await sync_to_async(make_run)()
    kept = await sync_to_async(keep_file)(run, "plot.png", PNG)
    path = f"{PATH}/artifacts/{kept.pk}/content"

    part = await async_client.get(path, headers={"Range": "bytes=10-19"})
    beyond = await async_client.get(path, headers={"Range": f"bytes={len(PNG)}-"})

    assert b"".join([chunk async for chunk in part]) == PNG[10:20]
    assert (part.status_code, part["Content-Length"]) == (206, "10")
    assert part["Content-Range"] == f"bytes 10-19/{len(PNG)}"
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(PNG)}")
    assert beyond.content == b""


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ("", (0, 100)),
        ("bytes=0-", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=90-500", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=-0", None),
        ("bytes=100-", None),
        ("bytes=5-4", (0, 100)),
        ("bytes=0-1,5-6", (0, 100)),
        ("bytes=-", (0, 100)),
        ("bytes=" + "9" * 5_000 + "-", (0, 100)),
        ("items=0-1", (0, 100)),
    ],
)
def test_range_is_read_as_http_says(asked: str, span: tuple[int, int] | None) -> None:
    assert find_span(asked, 100) == span


@pytest.mark.parametrize("name", ["page.html", "app.js", "notes.txt", "model.pt", "data.json"])
def test_what_is_no_picture_sound_or_film_is_not_sent_to_be_shown(
    client: Client, name: str
) -> None:
    kept = keep_file(make_run(), name, b"<script>alert(1)</script>")

    assert client.get(f"{PATH}/artifacts/{kept.pk}/content").status_code == 404


@pytest.mark.django_db(transaction=True)
async def test_any_name_is_safe_in_a_header(async_client: AsyncClient) -> None:
    run = await sync_to_async(make_run)()
    kept = await sync_to_async(keep_file)(run, 'a";\\ ü\u202f.html', b"x", path="über/x y")

    response = await async_client.get(f"{PATH}/artifacts/{kept.pk}")

    assert b"".join([chunk async for chunk in response]) == b"x"
    assert response["Content-Disposition"] == (
        "attachment; filename*=utf-8''a%22%3B%5C%20%C3%BC%E2%80%AF.html"
    )
