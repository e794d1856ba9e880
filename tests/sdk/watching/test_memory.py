import json
from pathlib import Path

import pytest
from runyard.watching.memory import Memory, memory_path

PLACE = "/data/p/one"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return memory_path(tmp_path / "imports", Path("/data"))


def test_what_was_saved_is_remembered(path: Path) -> None:
    memory = Memory(path)
    run = memory.run(PLACE)
    run.identity, run.places["rows"], run.sent["tags"] = "p/one 1", [10, 2, 0, 5], "tags 1"
    memory.cursor, memory.projects["/data/p"] = 7, {"tags": ["t"], "notes": ""}
    memory.is_changed = True
    memory.save()
    memory.close()

    again = Memory(path)
    again.close()

    assert (again.cursor, again.projects) == (7, {"/data/p": {"tags": ["t"], "notes": ""}})
    assert again.runs == {PLACE: run}
    assert again.run(PLACE).place("rows") == (10, 2, 0, 5)
    assert again.run(PLACE).place("others") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "[]",
        '{"format": 2}',
        '{"format": 1}',
        '{"format": 1, "runs": {"x": {"y": 1}}}',
    ],
)
def test_damaged_memory_is_none(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)

    memory = Memory(path)
    memory.close()

    assert (memory.cursor, memory.runs, memory.projects) == (0, {}, {})


def test_nothing_is_written_where_nothing_has_changed(path: Path) -> None:
    memory = Memory(path)
    memory.save()
    assert not path.exists()

    memory.forget(PLACE)
    memory.save()
    memory.close()

    assert json.loads(path.read_text())["runs"] == {}


def test_one_watcher_at_a_time(path: Path) -> None:
    memory = Memory(path)

    with pytest.raises(ValueError, match="Another watcher"):
        Memory(path)
    memory.close()
    Memory(path).close()


def test_one_directory_is_remembered_for_each_server(tmp_path: Path) -> None:
    places = {memory_path(tmp_path, Path("/data"), url) for url in ("http://a", "http://b", "")}

    assert len(places) == 3
