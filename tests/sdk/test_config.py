from pathlib import Path

import pytest
from runyard import config
from runyard.errors import NoServer


def test_directory_is_the_argument_then_the_environment_then_the_users_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("RUNYARD_DIR", "ASPARA_DATA_DIR", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    found = [config.data_dir(tmp_path / "given")]
    for name in ("RUNYARD_DIR", "ASPARA_DATA_DIR", "XDG_DATA_HOME"):
        found.append(config.data_dir())
        monkeypatch.delenv(name)
    found.append(config.data_dir())

    assert found == [
        tmp_path / "given",
        tmp_path / "RUNYARD_DIR",
        tmp_path / "ASPARA_DATA_DIR",
        tmp_path / "XDG_DATA_HOME" / "runyard",
        tmp_path / "home" / ".local" / "share" / "runyard",
    ]


def test_directory_of_the_user_is_whole_whatever_the_environment_calls_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("RUNYARD_DIR", "ASPARA_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for share in ("~/own", "own"):
        monkeypatch.setenv("XDG_DATA_HOME", share)

        assert config.data_dir() == tmp_path / "own" / "runyard"


@pytest.mark.parametrize("path", ["/", "/etc", "/usr/../etc"])
def test_directories_of_the_system_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="belongs to the system"):
        config.data_dir(path)


def test_server_is_the_argument_then_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoServer, match=r"Pass tracker_uri='http://host:port' or set RUNYARD_URL"):
        config.server_url()
    monkeypatch.setenv("RUNYARD_URL", "http://env")

    assert config.server_url() == "http://env"
    assert config.server_url("http://given") == "http://given"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, True),
        ({"RANK": "0", "LOCAL_RANK": "0"}, True),
        ({"RANK": "8", "LOCAL_RANK": "0"}, False),
        ({"LOCAL_RANK": "1"}, False),
        ({"RANK": "3", "RUNYARD_RANKS": "all"}, True),
    ],
)
def test_rank_zero_logs_unless_all_are_to(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert config.logs_here() is expected


def test_times_are_read_strictly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNYARD_INIT_TIMEOUT", "1.5")
    monkeypatch.setenv("RUNYARD_EXIT_DEADLINE", "soon")

    assert config.init_timeout_s() == 1.5
    with pytest.raises(ValueError, match="RUNYARD_EXIT_DEADLINE must be a number of seconds"):
        config.exit_deadline_s()
