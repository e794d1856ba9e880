from email import message_from_bytes
from pathlib import Path

import pytest
from runyard.uploads import Upload


def test_upload_is_a_form_with_the_size_it_says(tmp_path: Path) -> None:
    content = bytes(range(256)) * 3_000
    file = tmp_path / "copy"
    file.write_bytes(content)
    fields = {"name": "m.pt", "description": "Über\r\nlines", "category": "model", "file": "copy"}

    upload = Upload(file, fields)
    body = b"".join(upload)

    form = message_from_bytes(f"Content-Type: {upload.content_type}\r\n\r\n".encode() + body)
    parts = {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
        for part in form.get_payload()  # type: ignore[union-attr]
    }
    assert len(body) == upload.size
    assert parts == {
        "name": b"m.pt",
        "description": "Über\r\nlines".encode(),
        "category": b"model",
        "file": content,
    }
    assert form.get_payload(3).get_filename() == "m.pt"  # type: ignore[union-attr]
    assert b"".join(upload) == body, "it can be sent again"


def test_empty_file_and_no_fields_make_a_form_too(tmp_path: Path) -> None:
    file = tmp_path / "copy"
    file.touch()

    upload = Upload(file, {"name": "empty", "file": "copy"})
    body = b"".join(upload)

    assert len(body) == upload.size
    assert body.count(b"Content-Disposition") == 2


def test_file_that_is_gone_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Upload(tmp_path / "nothing", {"name": "x"})


def test_file_in_folders_says_where_and_what_it_is(tmp_path: Path) -> None:
    file = tmp_path / "copy"
    file.write_bytes(b"weights")
    fields = {
        "uid": "7",
        "path": "/a b/ü",
        "name": 'x "1".pt',
        "tags": ["a,b", "c"],
        "bindrs": [],
        "metadata": {"epoch": 1},
        "checksum": "0f",
        "size": 7,
        "file": "copy",
    }

    upload = Upload(file, fields)
    form = message_from_bytes(
        f"Content-Type: {upload.content_type}\r\n\r\n".encode() + b"".join(upload)
    )

    parts = {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
        for part in form.get_payload()  # type: ignore[union-attr]
    }
    assert parts == {
        "id": b"7",
        "prefix": "/a b/ü".encode(),
        "name": b'x "1".pt',
        "tags": b'["a,b", "c"]',
        "metadata": b'{"epoch": 1}',
        "checksum": b"0f",
        "file": b"weights",
    }
