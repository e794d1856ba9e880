"""The published module: its names and signatures, who an experiment is, and where it goes."""

import getpass
import inspect
from pathlib import Path
from typing import Any

import ml_dash
import pytest
from ml_dash import ConfigurationError, Experiment, MlDashError, OperationMode, exceptions, userinfo
from ml_dash._files import FileBuilder
from ml_dash._metrics import MetricBuilder

from tests.sdk.ml_dash.conftest import DEAD_URL


def defaults(function: Any) -> dict[str, Any]:
    return {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
    }


def test_module_has_its_names_sorted() -> None:
    assert ml_dash.__all__ == sorted(ml_dash.__all__)
    assert exceptions.__all__ == sorted(exceptions.__all__)
    assert set(exceptions.__all__) < set(ml_dash.__all__)
    assert all(hasattr(ml_dash, name) for name in ml_dash.__all__)
    assert all(issubclass(getattr(exceptions, name), MlDashError) for name in exceptions.__all__)


def test_signatures_are_the_published_ones() -> None:
    nothing = inspect.Parameter.empty

    assert list(defaults(Experiment).items())[:7] == [
        ("prefix", None),
        *((name, None) for name in ("readme", "tags", "bindrs", "metadata", "dash_url")),
        ("dash_root", ".dash"),
    ]
    assert list(defaults(Experiment.log).items())[1:4] == [
        ("message", None),
        ("level", "info"),
        ("metadata", None),
    ]
    assert defaults(MetricBuilder.read) == {"self": nothing, "start_index": 0, "limit": 100}
    assert defaults(FileBuilder.save_fig) == {
        "self": nothing,
        "fig": None,
        "to": nothing,
        "options": nothing,
    }
    assert defaults(FileBuilder.save_video)["fps"] == 20
    assert defaults(FileBuilder.download)["dest_path"] is None


@pytest.mark.parametrize(
    ("prefix", "parts"),
    [
        ("alice/proj/a/b/exp1", ("alice", "proj", "a/b", "exp1", "alice/proj/a/b/exp1")),
        ("/o/p/n/", ("o", "p", "", "n", "o/p/n")),
        ("o/p", ("o", "p", "", "p", "o/p")),
        (" o /p// my exp ", ("o", "p", "", "my exp", "o/p/my exp")),
        ("ö/模型/n", ("ö", "模型", "", "n", "ö/模型/n")),
    ],
)
def test_prefix_is_taken_apart(prefix: str, parts: tuple[str, ...]) -> None:
    one = Experiment(prefix)

    assert (one.owner, one.project, one.folder, one.name, one.prefix) == parts


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("solo", "has one part: a project is missing"),
        ("/", "is empty"),
        ("a/../b", "must not have '.' or '..'"),
        ("a/p/..", "must not have '.' or '..'"),
        ("a/./b", "must not have '.' or '..'"),
        ("a/p/ .. ", "printable characters"),
        ("a/p/x\n", "control characters"),
        ("a/p\0/x", "control characters"),
        ("a/p/\u202ex", "printable characters"),
        ("a/ /x", "printable characters"),
        (f"a/p/{'x' * 251}", "1 to 250 printable characters"),
    ],
)
def test_prefix_that_is_none_says_how_one_looks(prefix: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Experiment(prefix)
    assert not Path(".dash").exists()


def test_each_refusal_of_a_prefix_shows_one_that_is_right() -> None:
    for prefix in ("solo", "a/../b"):
        with pytest.raises(ValueError, match="prefix='alice/my-project/exp-001'"):
            Experiment(prefix)
    with pytest.raises(TypeError, match="prefix must be text, not int"):
        Experiment(7)  # type: ignore[arg-type]


def test_prefix_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_DASH_PREFIX", "a/p/env")

    assert Experiment().prefix == "a/p/env"
    assert Experiment("a/p/given").prefix == "a/p/given"


def test_prefix_is_made_up_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_DASH_USER", "me / you")
    first, second = Experiment(), Experiment()

    assert (first.owner, first.project) == ("me_you", "scratch")
    assert first.prefix != second.prefix


def test_user_is_known_even_where_the_system_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise OSError

    assert userinfo.username == getpass.getuser()
    monkeypatch.setattr(getpass, "getuser", fail)
    assert userinfo.username == "anonymous"
    monkeypatch.setenv("ML_DASH_USER", "me")
    assert userinfo.username == "me"


def test_words_of_an_experiment_are_its_attributes() -> None:
    one = Experiment("a/p/x", readme="r", tags=["t", "t"], bindrs=["b"], metadata={"k": (1,)})
    bare = Experiment("a/p/y")

    assert (one.readme, one.tags, one.bindrs, one.metadata) == ("r", ["t"], ["b"], {"k": [1]})
    assert (bare.readme, bare.tags, bare.bindrs, bare.metadata) == (None, [], [], None)
    assert (bare.id, bare.data) == (None, None)


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"tags": "t"}, TypeError, "tags must be a list"),
        ({"bindrs": [1]}, TypeError, "bindrs must be text"),
        ({"metadata": {"a": object()}}, TypeError, r"metadata\['a'\]"),
        ({"readme": "x" * 100_001}, ValueError, "readme has 100001 characters"),
        ({"readme": 7}, TypeError, "readme must be text"),
        ({"dash_root": None}, ConfigurationError, "Nowhere to log to: pass dash_root"),
        ({"dash_url": "mlruns"}, ConfigurationError, "must look like http://host:port"),
        ({"unknown": 1}, TypeError, "unknown"),
    ],
)
def test_misuse_is_refused_at_once(
    options: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        Experiment("a/p/x", **options)


def test_place_decides_the_mode() -> None:
    assert Experiment("a/p/x").mode is OperationMode.LOCAL
    assert Experiment("a/p/x", dash_url="").mode is OperationMode.LOCAL
    assert Experiment("a/p/x", dash_url=DEAD_URL).mode is OperationMode.HYBRID
    assert Experiment("a/p/x", dash_url=DEAD_URL, dash_root=None).mode is OperationMode.REMOTE


def test_old_names_of_arguments_are_understood(here: Path) -> None:
    with pytest.warns(DeprecationWarning, match="local_path= is deprecated: use dash_root="):
        one = Experiment("a/p/x", local_path="old")
    with pytest.warns(DeprecationWarning, match="remote= is deprecated: use dash_url="):
        assert Experiment("a/p/x", remote=DEAD_URL).mode is OperationMode.HYBRID

    with one.run:
        assert (here / "old" / "a" / "p" / "x").is_dir()


def test_true_means_the_server_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def url() -> str:
        return Experiment("a/p/x", dash_url=True)._session.remote._url  # type: ignore[union-attr]

    published = url()
    assert [record.getMessage()[:34] for record in caplog.records] == [
        "runyard: dash_url=True means https"
    ]
    monkeypatch.setenv("RUNYARD_URL", "http://ours:1")
    assert url() == "http://ours:1"
    monkeypatch.setenv("ML_DASH_API_URL", "http://dash:2")
    assert url() == "http://dash:2"
    assert published == "https://api.dash.ml"


def test_token_of_the_environment_does_not_go_to_a_server_nobody_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNYARD_TOKEN", "ry_secret")

    with pytest.raises(ConfigurationError, match="set RUNYARD_URL to the server that it is for"):
        Experiment("a/p/x", dash_url=True)
