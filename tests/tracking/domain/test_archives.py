import io
import zipfile
from types import SimpleNamespace

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tests.factories import make_run
from tracking.domain import archives
from tracking.domain.archives import EntryNames, read_pieces, zip_artifacts
from tracking.errors import NotFound
from tracking.models import Artifact, Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(settings, tmp_path) -> Run:
    settings.MEDIA_ROOT = tmp_path
    return make_run()


def keep_file(run: Run, name: str, content: bytes, **fields: str) -> Artifact:
    key = default_storage.save("key", ContentFile(content + b"+" * bool(fields.pop("grown", ""))))
    size = len(content)
    return run.artifacts.create(name=name, storage_key=key, size_bytes=size, **fields)


def unpack(run: Run) -> dict[str, bytes]:
    archive = zip_artifacts(run)
    body = b"".join(archive.pieces)
    assert len(body) == archive.size_bytes
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name) for name in packed.namelist()}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a.pt", "b.pt"], ["a.pt", "b.pt"]),
        (["models/best/a.pt"], ["models/best/a.pt"]),
        (["/etc/passwd", "../../etc/passwd"], ["etc/passwd", "etc/passwd-2"]),
        (["..", ".", "", "///"], ["file", "file-2", "file-3", "file-4"]),
        (["a\\b.txt", "C:\\x"], ["a/b.txt", "C_/x"]),
        (["nul\0l", "line\nbreak", 'a<b>:"|?*'], ["nul_l", "line_break", "a_b______"]),
        (["A.TXT", "a.txt", "a-2.txt"], ["A.TXT", "a-2.txt", "a-2-2.txt"]),
        (["a", "a/b"], ["a", "a_b"]),
        (["a/b", "a"], ["a/b", "a-2"]),
        (["trailing. ", "über/ß"], ["trailing", "über/ß"]),
        ([".env", ".env"], [".env", ".env-2"]),
        (["nul", "aux/Con.txt", "console"], ["_nul", "_aux/_Con.txt", "console"]),
    ],
)
def test_names_unpack_inside_the_archive_and_each_on_its_own(given, expected):
    names = EntryNames()

    assert [names.add(name) for name in given] == expected


def test_files_lie_under_their_paths(run):
    keep_file(run, "w.pt", b"1", path="models")
    keep_file(run, "w.pt", b"2")

    assert unpack(run) == {"models/w.pt": b"1", "w.pt": b"2"}


def test_many_small_files_are_few_pieces(run):
    for n in range(50):
        keep_file(run, f"f{n}", b"x" * n)

    assert len(list(zip_artifacts(run).pieces)) == 1
    assert unpack(run) == {f"f{n}": b"x" * n for n in range(50)}


def test_large_file_comes_in_pieces(run, monkeypatch):
    monkeypatch.setattr(archives, "PIECE_BYTES", 1000)
    keep_file(run, "large", b"x" * 10_500)

    sizes = [len(piece) for piece in zip_artifacts(run).pieces]

    assert len(sizes) == 11
    assert max(sizes) < 1200


def test_file_that_goes_meanwhile_ends_the_archive_with_an_error(run):
    kept = keep_file(run, "w.pt", b"1")
    archive = zip_artifacts(run)
    default_storage.delete(kept.storage_key)

    with pytest.raises(NotFound, match=r"'w\.pt' is not there any more"):
        list(archive.pieces)


def test_file_of_another_size_ends_the_archive_with_an_error(run):
    keep_file(run, "w.pt", b"1", grown="yes")

    with pytest.raises(RuntimeError, match="actual size did not match"):
        list(zip_artifacts(run).pieces)


def test_size_is_right_where_the_zip_format_changes(run, monkeypatch):
    """From 65,535 entries on the end of an archive is longer; zipstream counts one entry late."""
    files = [Artifact(name=f"f{n}", size_bytes=0) for n in range(65_535)]
    monkeypatch.setattr(archives, "has_file", lambda artifact: True)
    monkeypatch.setattr(archives, "_read", lambda artifact: (b"" for _ in range(1)))
    everything = SimpleNamespace(artifacts=SimpleNamespace(filter=lambda **fields: files))

    archive = zip_artifacts(everything)

    assert sum(map(len, archive.pieces)) == archive.size_bytes


async def test_pieces_are_read_in_a_thread_and_a_reader_may_leave(run):
    archive = archives.Archive(3, iter([b"a", b"b", b"c"]))

    reader = read_pieces(archive)
    first = await anext(reader)
    await reader.aclose()

    assert (first, list(archive.pieces)) == (b"a", [b"b", b"c"])
