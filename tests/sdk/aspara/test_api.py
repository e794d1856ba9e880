"""The published module: names, signatures, and what they do."""

import inspect
from pathlib import Path

import aspara
import pytest
from aspara.exceptions import RunAlreadyExistsError

from tests.sdk.door import Door

DEAD_URL = "http://127.0.0.1:1"


def signature(function: object) -> list[tuple[str, object]]:
    """Names and defaults of the parameters."""
    parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    assert all(parameter.kind is parameter.POSITIONAL_OR_KEYWORD for parameter in parameters)
    return [(parameter.name, parameter.default) for parameter in parameters]


def test_module_has_the_published_names() -> None:
    assert aspara.__all__ == ["Config", "Run", "Summary", "config", "finish", "init", "log"]
    assert sorted(aspara.__all__) == aspara.__all__
    assert all(callable(getattr(aspara, name)) for name in aspara.__all__)


def test_functions_have_the_published_signatures() -> None:
    everything = {
        *(("project", None), ("name", None), ("config", None), ("tags", None), ("notes", None)),
        *(("dir", None), ("tracker_uri", None), ("storage_backend", None)),
        *(("project_tags", None), ("resume", False)),
    }
    log = [("data", inspect.Parameter.empty), ("step", None), ("commit", True), ("timestamp", None)]
    finish = [("exit_code", 0), ("quiet", False), ("flush_timeout", 30.0)]
    artifact = [("file_path", inspect.Parameter.empty)]
    artifact += [(name, None) for name in ("name", "description", "category")]

    assert [name for name, _ in signature(aspara.init)] == [
        *("project", "name", "config", "tags", "notes", "dir", "tracker_uri", "storage_backend"),
        *("project_tags", "resume"),
    ]
    assert set(signature(aspara.init)) == set(signature(aspara.Run)) == everything
    assert [name for name, _ in signature(aspara.Run)][:2] == ["name", "project"]
    assert signature(aspara.log) == signature(aspara.Run.log)[1:] == log
    assert signature(aspara.finish) == signature(aspara.Run.finish)[1:] == finish
    assert signature(aspara.Run.flush)[1:] == [("timeout", 30.0)]
    assert signature(aspara.Run.log_artifact)[1:] == artifact


def test_documented_example_runs_as_printed(door: Door, root: Path) -> None:
    run = aspara.init(
        project="my_project",
        name="my_run",
        config={"lr": 0.001},
        tags=["baseline"],
        notes="First experiment",
        dir=root,
        storage_backend="polars",
        tracker_uri=f"{door.url}/tracker",
    )
    aspara.log({"loss": 0.5, "accuracy": 0.95})
    aspara.log({"loss": 0.3}, step=10)
    aspara.log({"train/loss": 0.5}, commit=False)
    aspara.log({"val/loss": 0.6}, commit=True)
    run.config.batch_size = 32
    run.summary["best_accuracy"] = 0.98
    aspara.finish()

    start = door.payloads("my_run", "start")[0]
    assert (start["config"], start["tags"], start["notes"]) == (
        {"lr": 0.001},
        ["baseline"],
        "First experiment",
    )
    assert door.runs["my_run"]["project"] == "my_project"
    assert door.values("my_run", "loss") == [(0, 0.5), (10, 0.3)]
    assert door.values("my_run", "accuracy") == [(0, 0.95)]
    assert door.values("my_run", "train/loss") == [(11, 0.5)]
    assert door.values("my_run", "val/loss") == [(11, 0.6)]
    assert door.payloads("my_run", "config") == [{"batch_size": 32}]
    assert door.payloads("my_run", "summary") == [{"best_accuracy": 0.98}]
    assert door.status("my_run") == "completed"


def test_current_run_is_finished_by_the_next(door: Door) -> None:
    first = aspara.init(name="first", tracker_uri=door.url)
    second = aspara.init(name="second", tracker_uri=door.url)
    aspara.log({"loss": 1})
    aspara.finish(exit_code=1)

    assert first.project == second.project == "default"
    assert door.status("first") == "completed"
    assert door.values("second", "loss") == [(0, 1.0)]
    assert door.status("second") == "failed"


def test_without_a_run_log_says_what_to_do_and_the_rest_does_nothing() -> None:
    with pytest.raises(RuntimeError, match=r"^No active run\. Call aspara\.init\(\) first\.$"):
        aspara.log({"loss": 1})
    aspara.finish()
    assert aspara.config() is None


def test_config_function_gives_the_config_of_the_current_run(door: Door) -> None:
    run = aspara.init(tracker_uri=door.url, config={"lr": 1})

    assert aspara.config() is run.config


def test_runs_are_said_on_stdout_in_short(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    aspara.init(project="p", name="r", tracker_uri=door.url)
    aspara.finish()
    aspara.init(project="p", name="quiet", tracker_uri=door.url)
    aspara.finish(quiet=True)

    pages = f"{door.url}/projects/p/runs"
    assert capsys.readouterr().out.splitlines() == [
        f"aspara: p/r: {pages}/r",
        f"aspara: p/r completed: {pages}/r",
        f"aspara: p/quiet: {pages}/quiet",
    ]


def test_address_may_come_from_the_environment(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNYARD_URL", door.url)

    aspara.init(name="r")
    aspara.finish()

    assert door.status("r") == "completed"


def test_taken_name_has_an_error_of_its_own(door: Door) -> None:
    aspara.init(name="r", tracker_uri=door.url)
    with pytest.raises(RunAlreadyExistsError, match="already exists in project 'default'"):
        aspara.init(name="r", tracker_uri=door.url)

    assert issubclass(RunAlreadyExistsError, RuntimeError)
    assert not issubclass(RunAlreadyExistsError, ValueError)
    assert aspara.init(name="r", tracker_uri=door.url, resume=True).name == "r"


@pytest.mark.parametrize("what", ["project", "run"])
@pytest.mark.parametrize("name", ["a b", "ü", "../x", "x\n", "a/b", "lr0.001"])
def test_names_of_other_letters_are_refused(what: str, name: str) -> None:
    argument = {"run": "name"}.get(what, what)

    with pytest.raises(ValueError) as error:  # noqa: PT011 -- the text is compared as a whole
        aspara.init(**{argument: name}, tracker_uri=DEAD_URL)  # type: ignore[arg-type]

    assert str(error.value) == (
        f"Invalid {what} name. Only alphanumeric characters, underscores, and hyphens are allowed."
        f" Got {name!r}."
    )


def test_wrong_name_is_shown_in_short() -> None:
    with pytest.raises(ValueError, match=r"allowed\. Got 'x{79}…\.$"):
        aspara.init(name=f"{'x' * 300} y", tracker_uri=DEAD_URL)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"project": "x" * 251}, "Invalid project name. It has 251 characters; at most 250"),
        ({"name": "x" * 251}, "Invalid run name. It has 251 characters; at most 250"),
        ({"name": ""}, "Invalid run name. Only alphanumeric"),
        ({"name": "stream"}, "Invalid run name. 'stream' is a reserved word"),
        ({"storage_backend": "csv"}, "Invalid storage backend: csv. Must be one of: jsonl, polars"),
        ({"tracker_uri": "mlruns"}, "must look like http://host:port"),
        ({"tags": ["x" * 251]}, "tags: a tag has 1 to 250 characters"),
        ({"project_tags": [""]}, "project_tags: a tag has"),
        ({"config": {"a": "\0"}}, "NUL character"),
    ],
)
def test_misuse_is_refused_at_once(arguments: dict[str, object], words: str, root: Path) -> None:
    with pytest.raises(ValueError, match=words):
        aspara.init(**{"tracker_uri": DEAD_URL, **arguments})  # type: ignore[arg-type]

    assert not root.exists()
    assert aspara._current is None


def test_names_of_250_characters_are_taken(door: Door) -> None:
    run = aspara.init(project="p" * 250, name="r" * 250, tracker_uri=door.url)
    run.log({"loss": 1})
    run.finish()

    assert door.values("r" * 250, "loss") == [(0, 1.0)]
