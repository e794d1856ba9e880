import os

import pytest
from runyard import family
from runyard.family import Inherited, hand_down, hand_down_no_more, inherited_run


def inherit(monkeypatch: pytest.MonkeyPatch, *, is_child: bool) -> None:
    monkeypatch.setenv("RUNYARD_RUN", f"uid-1 {os.getppid()} p r")
    monkeypatch.setattr(family, "is_multiprocessing_child", lambda: is_child)


@pytest.mark.parametrize(
    ("project", "key", "is_child", "is_joined"),
    [
        ("p", "r", True, True),
        ("p", "r", False, True),
        ("p", None, True, True),
        ("p", None, False, False),
        ("p", "other", True, False),
        ("q", "r", True, False),
        ("q", None, True, False),
    ],
)
def test_child_joins_the_run_that_is_meant(
    monkeypatch: pytest.MonkeyPatch, project: str, key: str | None, is_child: bool, is_joined: bool
) -> None:
    inherit(monkeypatch, is_child=is_child)

    assert inherited_run(project, key) == (Inherited("uid-1", "r") if is_joined else None)


def test_uid_that_people_set_holds_for_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNYARD_RUN", "uid-2")

    assert inherited_run("p", None) == Inherited("uid-2", None)
    hand_down("uid-3", "p", "r")
    assert os.environ["RUNYARD_RUN"] == "uid-2"
    hand_down_no_more("uid-2")
    assert os.environ["RUNYARD_RUN"] == "uid-2"


def test_process_hands_its_run_down_until_it_ends_but_not_to_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RUNYARD_RUN", raising=False)

    hand_down("uid-1", "p", "r")
    assert os.environ["RUNYARD_RUN"] == f"uid-1 {os.getpid()} p r"
    assert inherited_run("p", "r") is None
    hand_down_no_more("another")
    assert "RUNYARD_RUN" in os.environ
    hand_down_no_more("uid-1")
    assert "RUNYARD_RUN" not in os.environ
