from pathlib import Path

import pytest
from runyard.drafts import drafted


@pytest.mark.parametrize("name", ["a", "a" * 255, "é" * 127])
def test_draft_becomes_the_file(name: str, tmp_path: Path) -> None:
    target = tmp_path / name
    target.write_text("old")

    with drafted(target) as draft:
        draft.write_text("new")
        assert target.read_text() == "old"

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "new")]


def test_nothing_is_left_of_what_failed(tmp_path: Path) -> None:
    def fail() -> None:
        with drafted(tmp_path / "a") as draft:
            draft.write_text("half")
            raise ValueError("torn")

    with pytest.raises(ValueError, match="torn"):
        fail()

    assert list(tmp_path.iterdir()) == []
