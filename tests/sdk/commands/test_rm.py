import io
from collections.abc import Callable
from http.client import HTTPConnection

import pytest

from tests.e2e.live import LiveServer
from tests.sdk.commands.conftest import Outcome

pytestmark = pytest.mark.e2e
Runyard = Callable[..., Outcome]
TO_GO = "to-go"


@pytest.fixture
def make(server: LiveServer) -> Callable[[str], None]:
    def make_run(name: str) -> None:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
        body, headers = f'{{"name": "{name}"}}', {"Content-Type": "application/json"}
        connection.request("POST", f"/api/v1/projects/{TO_GO}/runs", body, headers)
        assert connection.getresponse().status == 200
        connection.close()

    return make_run


@pytest.fixture
def names(runyard: Runyard) -> Callable[[], list[str]]:
    return lambda: [run["name"] for run in runyard("ls", TO_GO, "--json").json()]


def test_each_is_deleted_and_one_that_is_not_there_is_named(
    runyard: Runyard, make: Callable[[str], None], names: Callable[[], list[str]]
) -> None:
    for name in ("one", "two", "three"):
        make(name)

    outcome = runyard("rm", "--yes", f"{TO_GO}/one", f"{TO_GO}/nope", f"{TO_GO}/three")

    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.splitlines() == [
        "to-go/one: deleted",
        "to-go/nope: Run 'nope' not found in project 'to-go'",
        "to-go/three: deleted",
    ]
    assert names() == ["two"]
    told = runyard("rm", "-y", "--json", f"{TO_GO}/two", f"{TO_GO}/two")
    assert (told.status, told.json()) == (0, {"to-go/two": "deleted"})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "status", "left"), [("n\n", 1, ["kept"]), ("y\n", 0, [])])
def test_people_are_asked_first(
    *,
    runyard: Runyard,
    make: Callable[[str], None],
    names: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    server: LiveServer,
    answer: str,
    status: int,
    left: list[str],
) -> None:
    runyard("rm", "-y", f"{TO_GO}/kept")
    make("kept")
    monkeypatch.setattr("sys.stdin", Terminal(answer))

    outcome = runyard("rm", f"{TO_GO}/kept")

    assert outcome.status == status
    question = f"Delete this run on {server.url}? Only a trash there has a way back. [y/N]"
    assert outcome.err.splitlines()[0] == question
    assert names() == left


def test_scripts_have_to_say_yes(
    runyard: Runyard, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))

    outcome = runyard("rm", f"{project}/r0")

    assert (outcome.status, outcome.out) == (2, "")
    assert "say --yes" in outcome.err
    assert runyard("show", f"{project}/r0").status == 0
