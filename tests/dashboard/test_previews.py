"""Previews of files: safe, bounded, and right about what a file is."""

from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from dashboard.previews import Preview, can_preview, preview_file, sniff
from tests.factories import keep_file, make_run

PATH = "/projects/proj/runs/run-1"


def preview(name: str, content: bytes, size_bytes: int | None = None) -> Preview:
    size = len(content) if size_bytes is None else size_bytes
    return preview_file(ContentFile(content), name=name, size_bytes=size)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", None),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90\x00", "audio/mpeg"),
        (b"OggS\x00", "audio/ogg"),
        (b"fLaC\x00", "audio/flac"),
        (b"\x00\x00\x00 ftypM4A ", "audio/mp4"),
        (b"\x00\x00\x00 ftypisom", "video/mp4"),
        (b"\x1aE\xdf\xa3", "video/webm"),
        (b"<!doctype html>", None),
        (b"<svg onload=alert(1)>", None),
        (b"%PDF-1.7", None),
        (b"", None),
    ],
)
def test_media_are_known_by_their_first_bytes(head: bytes, kind: str | None) -> None:
    assert sniff(head) == kind


def test_page_that_is_called_a_picture_is_none() -> None:
    assert preview("cat.png", b"<script>alert(1)</script>") == Preview(
        kind="none", note="This is no image, whatever its name says."
    )


def test_film_that_is_called_a_picture_is_shown_as_a_film() -> None:
    assert preview("cat.png", b"\x1aE\xdf\xa3").kind == "video"


def test_page_is_shown_as_its_text() -> None:
    assert preview("page.html", b"<b>hi</b>") == Preview(kind="text", text="<b>hi</b>")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("grün".encode(), "grün"),
        (b"\xef\xbb\xbfmarked", "marked"),
        ("grün".encode("utf-16"), "grün"),
        (b"gr\xfcn", "gr�n"),
        (b"", ""),
    ],
)
def test_text_is_read_in_any_coding(content: bytes, text: str) -> None:
    assert preview("a.txt", content) == Preview(kind="text", text=text)


def test_bytes_are_no_text() -> None:
    assert preview("a.txt", b"ab\0cd") == Preview(kind="none", note="This file is not text.")


def test_long_text_is_cut_between_characters() -> None:
    content = b"a" + "ü".encode() * 100_000

    shown = preview("a.txt", content)

    assert (len(shown.text), shown.text[-1], shown.note) == (32_768, "ü", "The first 64 KB.")


def test_json_is_laid_out() -> None:
    assert preview("a.json", b'{"b":[1,NaN]}').text == '{\n  "b": [\n    1,\n    NaN\n  ]\n}'


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b"1" * 10_000])
def test_json_that_cannot_be_read_is_shown_as_it_is(content: bytes) -> None:
    shown = preview("a.json", content)

    assert (shown.kind, shown.text) == ("text", content.decode()[:65_536])
    assert shown.note.startswith("This is no valid JSON.")


def test_long_json_is_shown_as_text_from_its_beginning() -> None:
    content = b"[" + b"1," * 600_000 + b"1]"

    shown = preview("a.json", content)

    assert (shown.text, shown.note) == (content[:65_536].decode(), "The first 64 KB.")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b'x,y\n1,"a,b"\n'),
        ("a.csv", b'x;y\n1;"a,b"\n'),
        ("a.tsv", b"x\ty\n1\ta,b\n"),
    ],
)
def test_table_is_read_with_its_separator(name: str, content: bytes) -> None:
    assert preview(name, content) == Preview(kind="table", rows=[["x", "y"], ["1", "a,b"]])


def test_large_table_shows_its_first_rows_and_columns() -> None:
    row = ",".join(str(n) for n in range(60))
    content = "\n".join([row] * 300).encode()

    shown = preview("a.csv", content)

    assert [len(cells) for cells in shown.rows] == [50] * 100
    assert shown.note == "The first 100 rows. The first 50 columns."


def test_table_cut_within_a_row_leaves_that_row_out() -> None:
    content = ("a,b\n" + "x" * 30_000 + ",1\n" + "y" * 60_000 + ",2\n").encode()

    shown = preview("a.csv", content)

    assert [row[0][:1] for row in shown.rows] == ["a", "x"]
    assert {len(cell) for row in shown.rows for cell in row} == {1, 200}


def test_table_with_an_open_quote_is_one_cell() -> None:
    assert preview("a.csv", b'a,"b\nc').rows == [["a", "b\nc"]]
    assert preview("a.csv", b"").rows == []


@pytest.mark.parametrize(
    ("name", "is_offered"),
    [("a.PNG", True), ("README", True), ("a.tar.gz", False), ("a.pt", False), ("a.pdf", False)],
)
def test_preview_is_offered_by_name(name: str, is_offered: bool) -> None:
    assert can_preview(name) is is_offered


@pytest.mark.django_db
def test_preview_escapes_everything(client: Client, settings: object, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    run = make_run()
    evil = "<script>alert(1)</script>"
    text = keep_file(run, "a.html", evil.encode())
    table = keep_file(run, "a.csv", f"{evil},b\n{evil},c".encode())

    for kept in (text, table):
        page = client.get(f"{PATH}/artifacts/{kept.pk}/preview").content.decode()
        part = client.get(
            f"{PATH}/artifacts/{kept.pk}/preview", headers={"HX-Request": "true"}
        ).content.decode()

        assert "&lt;script&gt;alert(1)" in page
        assert "<script>" not in page + part
        assert "<html" not in part


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("file", "element"),
    [
        (("a.png", b"\x89PNG\r\n\x1a\n"), "<img src="),
        (("a.svg", b"<svg xmlns=''></svg>"), "<img src="),
        (("a.wav", b"RIFF\x00\x00\x00\x00WAVEfmt "), "<audio controls"),
        (("a.mp4", b"\x00\x00\x00 ftypisom"), "<video controls"),
    ],
)
def test_media_are_shown_by_the_address_of_their_bytes(
    client: Client, settings: object, tmp_path: Path, file: tuple[str, bytes], element: str
) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    kept = keep_file(make_run(), *file)

    page = client.get(f"{PATH}/artifacts/{kept.pk}/preview").content.decode()

    assert element in page
    assert f'src="{PATH}/artifacts/{kept.pk}/content"' in page
