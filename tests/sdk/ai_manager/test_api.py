"""The published module: names, signatures, and what they do."""

import inspect
from pathlib import Path

import ai_manager
import pytest
from ai_manager import AIManager, ArtifactInfo, MetricInterface, Run, RunStatus

from tests.sdk.door import Door, wait_until
from tests.sdk.gate import Gate, make_jwt

DEAD_URL = "http://127.0.0.1:1"
EMPTY = inspect.Parameter.empty


def signature(function: object) -> list[tuple[str, object]]:
    """Names and defaults of the parameters."""
    parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    assert all(parameter.kind is parameter.POSITIONAL_OR_KEYWORD for parameter in parameters)
    return [(parameter.name, parameter.default) for parameter in parameters]


def die(run: Run) -> None:
    """As if its process had ended: whoever comes may send what it left."""
    background = run._core._background
    assert background
    background.stop("the process has ended")
    wait_until(lambda: background._is_over)


def test_module_has_the_published_names() -> None:
    assert ai_manager.__all__ == [
        *("AIManager", "ArtifactInfo", "ArtifactType", "ConfigDict", "MetricDict"),
        *("MetricInterface", "MetricValue", "Run", "RunInfo", "RunStatus"),
    ]
    assert sorted(ai_manager.__all__) == ai_manager.__all__
    assert all(callable(getattr(ai_manager, name)) for name in ai_manager.__all__)
    assert issubclass(Run, MetricInterface)


def test_methods_have_the_published_signatures() -> None:
    assert signature(AIManager) == [
        ("project_name", EMPTY),
        ("api_url", "http://localhost:8000"),
        *(("username", None), ("password", None), ("token", None)),
    ]
    assert signature(AIManager.run)[1:] == [("name", None), ("config", None), ("tags", None)]
    for methods in (Run, MetricInterface):
        assert signature(methods.log)[1:] == [("metrics", EMPTY), ("step", None)]
        assert signature(methods.log_metric)[1:] == [
            *(("name", EMPTY), ("value", EMPTY), ("step", None)),
        ]
        assert signature(methods.log_config)[1:] == [("config", EMPTY)]
        assert signature(methods.log_artifact)[1:] == [("artifact", EMPTY)]
        assert signature(methods.finish)[1:] == [("status", RunStatus.COMPLETED)]


def test_documented_example_runs_as_printed(gate: Gate) -> None:
    # Initialize client
    manager = AIManager(
        project_name="my_project", api_url=gate.url, username="user", password="pass"
    )

    # Start training run
    with manager.run(name="training_run") as run:
        for epoch in range(100):
            # Log metrics
            run.log({"loss": 0.5, "accuracy": 0.85}, step=epoch)

    start = gate.payloads("training_run", "start")[0]
    del start["started_at"]
    assert start == {
        "source": "ai_manager",
        "project_name": "my_project",
        "name": "training_run",
        "config": {},
        "tags": [],
    }
    assert gate.values("training_run", "loss") == [(epoch, 0.5) for epoch in range(100)]
    assert gate.values("training_run", "accuracy") == [(epoch, 0.85) for epoch in range(100)]
    assert gate.status("training_run") == "completed"
    assert len(gate.logins) == 1


def test_whole_workflow_arrives_as_it_was_logged(gate: Gate, tmp_path: Path) -> None:
    (tmp_path / "model.pth").write_bytes(b"weights")
    with AIManager("My Project", gate.url, "user", "pass") as manager:
        run = manager.run(name="ResNet Training", config={"lr": 0.001}, tags=["demo", "test"])
    run.log({"loss": 0.5})
    run.log_config({"epochs": 3})
    run.log_artifact(ArtifactInfo(str(tmp_path / "model.pth"), "best", "model", {"epoch": 3}))
    run.finish(RunStatus.STOPPED)

    key = "ResNet-Training"
    start = gate.payloads(key, "start")[0]
    assert (start["project_name"], start["name"]) == ("My Project", "ResNet Training")
    assert (start["config"], start["tags"]) == ({"lr": 0.001}, ["demo", "test"])
    assert gate.payloads(key, "config") == [{"epochs": 3}]
    assert gate.payloads(key, "artifact") == [{"name": "best", "metadata": {"epoch": 3}}]
    ((path, body),) = gate.uploads
    assert path == f"/tracker/api/v1/projects/my-project-2/runs/{key}/artifacts"
    assert b"weights" in body
    assert b"model" in body
    assert gate.status(key) == "cancelled"
    assert (run.run_id, run.url) == (7, f"{gate.url}/projects/p/runs/{key}")


def test_wrong_password_raises_when_the_manager_is_made(gate: Gate) -> None:
    with pytest.raises(PermissionError, match="Incorrect username or password"):
        AIManager("p", gate.url, "user", "wrong")


@pytest.mark.parametrize("variable", ["AI_MANAGER_TOKEN", "RUNYARD_TOKEN"])
def test_token_may_come_from_the_environment(
    gate: Gate, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "secret")
    gate.tokens.add("secret")

    AIManager("p", gate.url).run("r").finish()

    assert gate.status("r") == "completed"
    assert gate.logins == []


def test_token_comes_before_the_password_and_the_password_before_the_environment(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AI_MANAGER_TOKEN", "wrong")
    gate.tokens.add("given")
    AIManager("p", gate.url, "user", "pass", "given").run("a").finish()
    assert gate.logins == []

    AIManager("p", gate.url, "user", "pass").run("b").finish()

    assert (gate.status("a"), gate.status("b")) == ("completed", "completed")
    assert len(gate.logins) == 1


def test_without_a_login_an_open_server_takes_the_run(door: Door) -> None:
    AIManager("p", door.url).run("r").finish()

    assert door.status("r") == "completed"
    assert all("authorization" not in headers for _, headers in door.requests)


def test_given_token_that_ends_keeps_the_records_for_another_one(
    gate: Gate, root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RUNYARD_EXIT_DEADLINE", "0.5")
    ending = make_jwt(1, 1)
    gate.tokens.add(ending)
    run = AIManager("p", gate.url, token=ending).run("r")
    gate.tokens.clear()
    run.log({"loss": 1})
    run.finish()
    assert f"to send them: runyard login {gate.url} && runyard sync" in caplog.text
    die(run)

    gate.tokens.add("another")
    AIManager("p", gate.url, token="another").run("later").finish()

    wait_until(lambda: gate.status("r") == "completed")
    assert gate.values("r", "loss") == [(0, 1.0)]


def test_what_one_user_left_is_not_sent_by_another(gate: Gate, root: Path) -> None:
    def refuse(path: str) -> str | None:
        return "hang up" if path == "/ingest/v1/batch" else None

    gate.fault = refuse
    run = AIManager("p", gate.url, "user", "pass").run("left")
    run._core.end("completed")
    run._core.drain(0)
    die(run)
    gate.fault = lambda path: None
    gate.tokens.add("hers")

    AIManager("p", gate.url, token="hers").run("other").finish()
    assert "left" not in gate.runs
    AIManager("p", gate.url, "user", "pass").run("mine").finish()

    wait_until(lambda: "left" in gate.runs and gate.status("left") == "completed")


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"project_name": ""}, ValueError, "project_name must have 1 to 250 printable"),
        ({"project_name": "x" * 251}, ValueError, "project_name must have 1 to 250"),
        ({"project_name": "a\nb"}, ValueError, "printable"),
        ({"project_name": None}, TypeError, "project_name must be text"),
        ({"api_url": "mlruns"}, ValueError, "must look like http://host:port"),
        ({"username": "user"}, ValueError, "belong together"),
        ({"password": "pass"}, ValueError, "belong together"),
        ({"token": "two words"}, ValueError, "token must be one word"),
        ({"token": "tökén"}, ValueError, "token must be one word"),
        ({"token": 7}, TypeError, "token must be text, not int"),
    ],
)
def test_misuse_of_the_manager_is_refused_at_once(
    arguments: dict[str, object], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        AIManager(**{"project_name": "p", "api_url": DEAD_URL, **arguments})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"name": " "}, ValueError, "name must have 1 to 250"),
        ({"name": 7}, TypeError, "name must be text"),
        ({"tags": "demo"}, TypeError, "tags must be a list of texts"),
        ({"config": [1]}, TypeError, "config must be a dict, not list"),
        ({"config": {"a": object()}}, TypeError, "which JSON cannot hold"),
    ],
)
def test_misuse_of_a_run_is_refused_at_once(
    arguments: dict[str, object], kind: type[Exception], words: str, root: Path
) -> None:
    with pytest.raises(kind, match=words):
        AIManager("p", DEAD_URL).run(**arguments)  # type: ignore[arg-type]

    assert not root.exists()


def test_server_that_is_away_is_warned_about_and_hears_of_everything_later(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RUNYARD_INIT_TIMEOUT", "0.3")
    gate.fault = lambda path: "hang up"
    run = AIManager("p", gate.url, "user", "pass").run("r")
    run.log({"loss": 1})
    assert (run.run_id, run.url) == (None, "")
    assert "does not answer" in caplog.text

    gate.fault = lambda path: None
    run.finish()

    assert gate.values("r", "loss") == [(0, 1.0)]
    assert run.run_id == 7
