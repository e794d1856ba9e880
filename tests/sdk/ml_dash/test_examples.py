"""Each example of the published reference, as it is printed there, in all three modes."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import ml_dash
import pytest
from ml_dash import Experiment

from tests.sdk.ml_dash.printed import (
    BUFFER,
    DELETE,
    DOWNLOAD,
    FLUSH,
    GET_PARAMS,
    LIST,
    LOG,
    LOGS,
    PARAMS,
    PREFIXED,
    READ,
    SAVE,
    SAVE_FIG,
    SAVE_JSON,
    SAVE_PKL,
    SAVE_TORCH,
    SAVE_VIDEO,
    STATS,
    SUMMARIES,
    UPDATE,
)


@pytest.fixture
def run(experiment: Experiment) -> Callable[..., dict[str, Any]]:
    """Runs code with `exp` open; returns its variables."""

    def run(code: str, **names: Any) -> dict[str, Any]:
        names["exp"] = experiment
        exec(compile(code, "example", "exec"), names)
        return names

    return run


def rows_of(experiment: Experiment, stream: str | None) -> list[dict[str, Any]]:
    """Without their times."""
    rows = [row["data"] for row in experiment.metrics(stream).read()["data"]]
    assert all(isinstance(row.pop("_ts"), float) for row in rows)
    return rows


def files_of(experiment: Experiment) -> list[tuple[str, str, int]]:
    return [(one["path"], one["filename"], one["sizeBytes"]) for one in experiment.files.list()]


# ── Experiment ───────────────────────────────────────────────────────────────


@pytest.fixture
def printed(places: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs code in which `Experiment(…)` means one of this mode."""
    monkeypatch.setattr(ml_dash, "Experiment", partial(Experiment, **places))

    def run(code: str) -> Any:
        names: dict[str, Any] = {}
        exec("from ml_dash import Experiment\n" + code, names)
        return SimpleNamespace(**names)

    return run


def test_constructor(printed: Callable[..., Any], mode: str, places: dict[str, Any]) -> None:
    url = places.get("dash_url", "http://127.0.0.1:1")
    code = """
# Local mode
exp = Experiment(prefix="alice/my-project/exp-001", dash_root=".dash")
local = exp

# Remote mode
exp = Experiment(
    prefix="alice/my-project/exp-001",
    dash_url="https://custom-server.com",
)
"""

    found = printed(code.replace("https://custom-server.com", url))

    assert found.exp.mode == ("remote" if mode == "remote" else "hybrid")
    assert (found.exp.owner, found.exp.project, found.exp.name) == (
        *("alice", "my-project", "exp-001"),
    )


def test_context_manager(printed: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    code = """
with Experiment(prefix="alice/proj/exp").run as exp:
    exp.log("Training started")
    # Auto-completes on success, auto-fails on exception
"""

    found = printed(code)

    assert "[INFO] Training started\n" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="not started"):
        found.exp.log("over")


def test_decorator(printed: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    code = """
exp = Experiment(prefix="alice/proj/exp")

@exp.run
def train(experiment):
    experiment.log("Training...")
    return "done"

result = train()
"""

    found = printed(code)

    assert found.result == "done"
    assert "[INFO] Training...\n" in capsys.readouterr().out


def test_manual_control(printed: Callable[..., Any]) -> None:
    code = """
exp = Experiment(prefix="alice/proj/exp")
exp.run.start()
try:
    exp.log("Training...")
    exp.run.complete()
except Exception:
    exp.run.fail()
    raise
"""

    assert printed(code).exp.name == "exp"


# ── Params and logs ──────────────────────────────────────────────────────────


def test_params_are_set_flat(run: Callable[..., Any], experiment: Experiment) -> None:
    run(PARAMS)

    assert experiment.params.get() == {
        "learning_rate": 0.001,
        "batch_size": 32,
        "model.architecture": "resnet50",
        "model.layers": 50,
    }


def test_params_are_got_flat_and_nested(run: Callable[..., Any], experiment: Experiment) -> None:
    experiment.params.set(learning_rate=0.001, model={"architecture": "resnet50"})

    found = run(GET_PARAMS)

    assert found["flat"] == {"learning_rate": 0.001, "model.architecture": "resnet50"}
    assert found["nested"] == {"learning_rate": 0.001, "model": {"architecture": "resnet50"}}


@pytest.mark.parametrize(
    ("code", "out", "err"),
    [
        (
            LOG,
            [
                "[INFO] Training started",
                "[WARN] Warning: Low GPU memory",
                "[INFO] Epoch completed [epoch=1, loss=0.5]",
            ],
            [],
        ),
        (
            LOGS,
            ["[INFO] Training started [epoch=1]"],
            ["[ERROR] Failed to load data [error_code=500]"],
        ),
    ],
    ids=["log", "logs"],
)
def test_lines_are_printed(
    run: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
    code: str,
    out: list[str],
    err: list[str],
) -> None:
    capsys.readouterr()

    run(code)

    printed = capsys.readouterr()
    assert (printed.out.splitlines(), printed.err.splitlines()) == (out, err)


# ── Metrics ──────────────────────────────────────────────────────────────────


def test_rows_are_logged_to_streams(run: Callable[..., Any], experiment: Experiment) -> None:
    run(PREFIXED, epoch=3, train_loss=0.4, train_acc=0.9, val_loss=0.5, val_acc=0.8)

    assert rows_of(experiment, "train") == [
        {"loss": 0.5, "accuracy": 0.85},
        {"epoch": 3, "loss": 0.4, "accuracy": 0.9},
    ]
    assert rows_of(experiment, "eval") == [{"epoch": 3, "loss": 0.5, "accuracy": 0.8}]
    assert rows_of(experiment, None) == [{"epoch": 3}]


def test_buffered_values_become_a_row(run: Callable[..., Any], experiment: Experiment) -> None:
    buffer = partial(run, BUFFER, dataloader=[1.0, 2.0, 6.0], train_step=float)
    for line in SUMMARIES.strip().splitlines():
        buffer()
        run(line)

    assert rows_of(experiment, "train") == [
        {"loss.mean": 3.0},
        {
            "loss.mean": 3.0,
            "loss.std": pytest.approx(7**0.5),
            "loss.min": 1.0,
            "loss.max": 6.0,
            "loss.count": 3,
        },
        {
            "loss.p50": 2.0,
            "loss.p90": pytest.approx(5.2),
            "loss.p95": pytest.approx(5.6),
            "loss.p99": pytest.approx(5.92),
        },
    ]


def test_flush_follows_log(run: Callable[..., Any], experiment: Experiment) -> None:
    run(FLUSH, epoch=7)

    assert rows_of(experiment, None) == [{"epoch": 7}]


def test_rows_are_read_and_described(run: Callable[..., Any], experiment: Experiment) -> None:
    for step in range(3):
        experiment.metrics("train_loss").log(
            value=step / 2, note=f"n{step}", parts=[step], _ts=step
        )

    data, stats = run(READ)["data"], run(STATS)["stats"]

    assert all(row.pop("createdAt").endswith("Z") for row in data["data"])
    rows = [{"value": i / 2, "note": f"n{i}", "parts": [i], "_ts": float(i)} for i in range(3)]
    assert data == {
        "data": [{"index": i, "data": row} for i, row in enumerate(rows)],
        "startIndex": 0,
        "endIndex": 2,
        "total": 3,
        "hasMore": False,
    }
    assert (stats["count"], stats["firstValue"], stats["lastValue"]) == (3, rows[0], rows[2])
    assert stats.keys() == {
        *("metricId", "name", "description", "tags", "metadata", "totalDataPoints"),
        *("bufferedDataPoints", "chunkedDataPoints", "totalChunks", "chunkSize"),
        *("firstDataAt", "lastDataAt", "createdAt", "updatedAt"),
        *("count", "firstValue", "lastValue"),
    }


# ── Files ────────────────────────────────────────────────────────────────────


@pytest.fixture
def heavy(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Libraries that write what they were told; `test_heavy` has the real ones."""
    calls: list[Any] = []

    def write(path: Path, *args: Any, **options: Any) -> None:
        calls.append((path.name, *args, options))
        path.write_bytes(b"content")

    figure = SimpleNamespace(savefig=write)
    torch = SimpleNamespace(save=lambda model, path: write(path, model))
    plt = SimpleNamespace(gcf=lambda: figure, close=lambda one: calls.append(one is figure))
    video = SimpleNamespace(imwrite=lambda path, frames, **options: write(path, **options))
    modules = {"torch": torch, "matplotlib.pyplot": plt, "imageio.v3": video, "imageio_ffmpeg": 1}
    for name, module in {"matplotlib": ModuleType("matplotlib"), **modules}.items():
        monkeypatch.setitem(sys.modules, name, module)  # type: ignore[arg-type]
    return calls


def test_file_is_saved_with_its_words(
    run: Callable[..., Any], experiment: Experiment, here: Path
) -> None:
    (here / "model.pt").write_bytes(b"weights")

    run(SAVE)

    (saved,) = experiment.files("models").list()
    assert len(saved) == 14
    words = ("path", "filename", "description", "tags", "bindrs", "metadata", "sizeBytes")
    assert [saved[word] for word in words] == [
        *("/models", "model.pt", "Best checkpoint", ["best"], ["v1", "production"]),
        *({"epoch": 50}, 7),
    ]


def test_json_and_pickle_are_saved(run: Callable[..., Any], experiment: Experiment) -> None:
    run(SAVE_JSON)
    run(SAVE_PKL)

    assert experiment.files("configs/config.json").read_text() == '{\n  "lr": 0.001\n}'
    assert [name for _, name, _ in files_of(experiment)] == ["config.json", "data.pkl"]


def test_models_figures_and_videos_are_saved(
    run: Callable[..., Any], experiment: Experiment, heavy: list[Any]
) -> None:
    model = SimpleNamespace(state_dict=dict)
    run(SAVE_TORCH, model=model)
    run(SAVE_FIG, fig=sys.modules["matplotlib.pyplot"].gcf())
    run(SAVE_VIDEO, frames=[[[0, 255], [255, 0]]] * 3)

    assert heavy == [
        *(("model.pt", model, {}), ("model.pth", {}, {}), ("plot.png", {}), True),
        *(("plot.pdf", {"dpi": 150, "bbox_inches": "tight"}), True),
        ("output.mp4", {"plugin": "FFMPEG", "fps": 30}),
        ("hq.mp4", {"plugin": "FFMPEG", "fps": 20, "codec": "libx264", "quality": 8}),
    ]
    assert files_of(experiment) == [
        *(("/models", "model.pt", 7), ("/models", "model.pth", 7)),
        *(("/plots", "plot.png", 7), ("/plots", "plot.pdf", 7)),
        *(("/videos", "output.mp4", 7), ("/videos", "hq.mp4", 7)),
    ]


def test_files_are_listed(run: Callable[..., Any], experiment: Experiment) -> None:
    experiment.files("models/a").save_text("1", to="one.txt", tags=["checkpoint", "x"])
    experiment.files("modelsx").save_text("2", to="two.txt")

    names = [
        [entry["filename"] for entry in run(f"found = {line}")["found"]]
        for line in LIST.strip().splitlines()
    ]

    assert names == [["one.txt", "two.txt"], ["one.txt"], ["one.txt"]]


def test_file_is_fetched_changed_and_deleted_by_its_id(
    run: Callable[..., Any], experiment: Experiment, here: Path
) -> None:
    file_id = experiment.files("models").save_text("weights", to="net.pt")["id"]

    found = run(DOWNLOAD.replace("123", file_id))
    run(UPDATE.replace("123", file_id))
    (updated,) = experiment.files.list()
    run(DELETE.replace("123", file_id))

    assert (here / "net.pt").read_text() == (here / "model.pt").read_text() == "weights"
    assert Path(found["path"]) == Path("model.pt")
    assert (updated["id"], updated["description"], updated["tags"], updated["metadata"]) == (
        *(file_id, "Updated", ["new"], {"version": "2.0"}),
    )
    assert experiment.files.list() == []
    with pytest.raises(FileNotFoundError):
        run(DELETE.replace("123", file_id))
