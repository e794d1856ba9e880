from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from tracking.storage import DurableFileStorage


@pytest.fixture
def storage(tmp_path) -> DurableFileStorage:
    return DurableFileStorage(tmp_path)


def files(storage: DurableFileStorage) -> list[str]:
    root = Path(storage.location)
    return [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]


class Cut(ContentFile):
    """A source that breaks in the middle."""

    def chunks(self, chunk_size=None):
        yield b"half"
        raise OSError("cut off")


def test_file_is_stored_under_its_name(storage):
    name = storage.save("ab/cd/key", ContentFile(b"bytes"))

    assert (name, files(storage)) == ("ab/cd/key", ["ab/cd/key"])
    with storage.open(name) as file:
        assert file.read() == b"bytes"


def test_name_appears_only_when_the_file_is_whole(storage):
    seen = []

    class Watched(ContentFile):
        def chunks(self, chunk_size=None):
            yield b"half"
            seen.append(storage.exists("key"))
            yield b"half"

    storage.save("key", Watched(b""))

    assert seen == [False]
    assert storage.size("key") == 8


def test_broken_off_file_leaves_nothing(storage):
    with pytest.raises(OSError, match="cut off"):
        storage.save("ab/key", Cut(b""))

    assert files(storage) == []
