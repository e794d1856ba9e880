import getpass
import io
import json
import stat
from pathlib import Path

import pytest
from runyard import config, tokens
from runyard.cli import main
from runyard.credentials import Credentials
from runyard.transport import HttpTransport, parse_address

from tests.sdk.door import Answer, Door

TOKEN = "ry_" + "0123456789abcdef" * 4


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "runyard" / "tokens.json"


@pytest.fixture
def scope() -> str:
    """Of the one token."""
    return "write"


@pytest.fixture
def server(door: Door, scope: str) -> Door:
    """Knows one token, and whose it is."""

    def answer(path: str) -> Answer:
        sent = door.requests[-1][1].get("authorization") if door.requests else None
        if sent != f"Bearer {TOKEN}":
            return Answer(401, {"detail": "There is no such API token."})
        if path == "/auth/me":
            return Answer(200, {"username": "alice"}, {"Runyard-Token-Scope": scope})
        return Answer(405)

    door.fault = answer
    return door


def sit_down(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """Somebody is before a terminal and types the token."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(getpass, "getpass", lambda prompt: token)


def test_token_is_checked_and_kept_for_its_user_alone(
    server: Door, path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sit_down(monkeypatch, f" {TOKEN}\n")

    assert main(["login", f"{server.url}/tracker"]) == 0

    assert json.loads(path.read_text()) == {server.url: TOKEN}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    printed = capsys.readouterr()
    assert f"Make a token on {server.url}/profile/tokens" in printed.err
    assert f"You are alice on {server.url}." in printed.err
    assert TOKEN not in printed.err + printed.out


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("read", "may only read"),
        ("write; project=p%20q", "may read and write, only in project p q"),
        ("read; project=p", "may only read, only in project p"),
    ],
)
def test_narrow_token_is_kept_and_said_to_be_narrow(
    server: Door, path: Path, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["login", server.url, "--token", TOKEN]) == 0

    assert path.exists()
    assert capsys.readouterr().err.splitlines()[-1] == f"Note: the token {words}."


def test_login_says_that_another_token_comes_first(
    server: Door, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RUNYARD_TOKEN", "ry_other")

    assert main(["login", server.url, "--token", TOKEN]) == 0
    assert "RUNYARD_TOKEN is set, and comes first" in capsys.readouterr().err


def test_kept_token_goes_to_its_server_and_to_no_other(
    server: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["login", server.url, "--token", TOKEN]) == 0

    address = parse_address(server.url)
    assert config.token_for(address.origin) == TOKEN
    for other in ("http://127.0.0.1:1", "https://127.0.0.1", server.url.replace("http", "https")):
        assert config.token_for(parse_address(other).origin) is None

    transport = HttpTransport(address, Credentials())
    transport.post("/", b"", {})
    transport.close()
    assert server.requests[-1][1]["authorization"] == f"Bearer {TOKEN}"


def test_all_names_of_this_machine_are_one_server(path: Path) -> None:
    names = ["http://localhost:3141", "http://127.0.0.1:3141", "http://[::1]:3141"]
    others = ("http://localhost:3142", "https://localhost:3141", "http://localhost.evil.org:3141")
    for name in names:
        tokens.store_token(name, TOKEN)

        assert json.loads(path.read_text()) == {name: TOKEN}, "the older one is gone"
        assert [config.token_for(other) for other in names] == [TOKEN] * 3
        assert [config.token_for(other) for other in others] == [None] * 3
    assert tokens.forget_token(names[0])
    assert not tokens.forget_token(names[1])
    assert json.loads(path.read_text()) == {}


def test_address_without_a_scheme_is_meant_for_http(server: Door, path: Path) -> None:
    bare = server.url.removeprefix("http://").replace("127.0.0.1", "localhost")

    assert main(["login", bare, "--token", TOKEN]) == 0

    assert json.loads(path.read_text()) == {f"http://{bare}": TOKEN}
    assert config.token_for(server.url) == TOKEN


def test_environment_wins_where_it_is_meant(server: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    main(["login", server.url, "--token", TOKEN])
    monkeypatch.setenv("RUNYARD_TOKEN", "ry_other")
    assert config.token_for(server.url) == "ry_other"

    monkeypatch.setenv("RUNYARD_URL", "http://elsewhere")
    assert config.token_for(server.url) == TOKEN
    assert config.token_for("http://elsewhere") == "ry_other"

    for url in (
        server.url.upper().replace("HTTP", "http"),
        server.url.removeprefix("http://"),
        server.url.replace("127.0.0.1", "localhost"),
    ):
        monkeypatch.setenv("RUNYARD_URL", url)
        assert config.token_for(server.url) == "ry_other"


def test_refused_token_is_not_kept(
    server: Door, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["login", server.url, "--token", "ry_wrong"]) == 1

    assert not path.exists()
    assert "does not take the token (401 There is no such API token.)" in capsys.readouterr().err


@pytest.mark.parametrize("token", ["", "a b", "ry_\n_x", "ry_ü"])
def test_what_is_no_token_is_not_sent(
    server: Door, path: Path, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sit_down(monkeypatch, token)

    assert main(["login", server.url]) == (1 if token else 2)

    assert server.requests == []
    assert not path.exists()


def test_silent_server_and_a_page_of_something_else_are_named(
    door: Door, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    door.fault = lambda path: "hang up"
    assert main(["login", door.url, "--token", TOKEN]) == 1
    assert "does not answer" in capsys.readouterr().err

    door.fault = lambda path: Answer(200, {"hello": "world"})
    assert main(["login", door.url, "--token", TOKEN]) == 1
    assert "does not take the token (status 200)" in capsys.readouterr().err
    assert not path.exists()


def test_login_needs_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["login", "--token", TOKEN]) == 2
    said = "runyard: Which server? Pass http://host:port or set RUNYARD_URL.\n"
    assert capsys.readouterr().err == said


def test_token_comes_from_stdin_without_a_terminal(
    server: Door, path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{TOKEN}\nmore\n"))

    assert main(["login", server.url]) == 0

    assert json.loads(path.read_text()) == {server.url: TOKEN}
    assert capsys.readouterr().err.startswith(f"You are alice on {server.url}.")


@pytest.mark.parametrize("stdin", [io.StringIO(""), None])
def test_login_that_nobody_answers_says_what_else_there_is(
    server: Door,
    path: Path,
    stdin: io.StringIO | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", stdin)

    assert main(["login", server.url]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert "run this in a terminal" in line
    assert "--token" in line
    assert "RUNYARD_TOKEN" in line
    assert server.requests == []


def test_logout_forgets_one_server(server: Door, path: Path) -> None:
    main(["login", server.url, "--token", TOKEN])
    tokens.store_token("http://other", "ry_other")

    assert main(["logout", server.url]) == 0
    assert main(["logout", server.url]) == 0

    assert json.loads(path.read_text()) == {"http://other": "ry_other"}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"http://h": 7}', '{"http://h": "a\\nb"}']
)
def test_spoiled_file_is_as_none(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)

    assert config.token_for("http://h") is None


def test_spoiled_file_is_not_overwritten(
    server: Door, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("{")

    assert main(["login", server.url, "--token", TOKEN]) == 2
    assert path.read_text() == "{"


def test_doctor_tells_where_the_token_is(
    server: Door, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["login", server.url, "--token", TOKEN])
    capsys.readouterr()

    main(["doctor", "--url", server.url])
    assert (
        f"ok  token      that of runyard login is sent, from {path}; "
        "it is alice's and may read and write\n" in capsys.readouterr().err
    )

    path.chmod(0o644)
    assert main(["doctor", "--url", server.url]) == 1
    assert f"!!  token      others can read {path}" in capsys.readouterr().err


def test_unsendable_token_of_the_environment_hurts_nobody(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNYARD_TOKEN", "a\nb")

    assert config.token_for(door.url) is None
