import os

import pytest
from runyard import artifact_names
from runyard.artifact_names import derive_name
from runyard.artifacts import NAME
from runyard.notices import Once

LONG = "x" * 300


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact_names, "_notices", Once())


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("model-1.2_best.pt", "model-1.2_best.pt"),
        (".env", ".env"),
        ("x" * 250, "x" * 250),
        ("confusion matrix.png", "confusion_matrix.png"),
        ('loss (1), "a/b".csv', "loss__1____a_b_.csv"),
        ("..a", "__a"),
        ("...", "__."),
        ("a b", "a_b"),
        (". ", "._"),
        ("a\n.txt", "a_.txt"),
        ("größe.txt", "gr__e-928b00b8.txt"),
        ("模型.pt", "__-6f324d6f.pt"),
        ("数据.pt", "__-866b5c49.pt"),
        (os.fsdecode(b"caf\xe9.txt"), "caf_-a443ee6f.txt"),
        (f"{LONG}.tar.gz", f"{'x' * 238}-2ac98896.gz"),
        (f"a.{LONG}", f"a.{'x' * 239}-1019a33f"),
    ],
)
def test_name_of_a_file_is_made_to_fit(file_name: str, name: str) -> None:
    assert derive_name(file_name) == name
    assert NAME.fullmatch(name)
    assert len(name) <= 250


def test_names_that_are_cut_stay_apart() -> None:
    assert derive_name(f"{LONG}a.pt") != derive_name(f"{LONG}b.pt")


def test_change_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    derive_name("fits.png")
    derive_name("one thing.png")
    derive_name("another thing.png")

    assert [record.getMessage() for record in caplog.records] == [
        (
            "runyard: the file 'one thing.png' is kept as the artifact 'one_thing.png'; names have "
            "letters, digits, '_', '.' and '-', not '..' in front, at most 250. "
            "Others are changed likewise."
        )
    ]
