"""Figures, pictures and videos with the libraries themselves, where they are installed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ml_dash import Experiment

FRAMES = np.random.default_rng(0).integers(0, 256, (5, 48, 64, 3), dtype=np.uint8)


def fetch(experiment: Experiment, saved: dict[str, Any]) -> Path:
    return Path(str(experiment.files(file_id=saved["id"]).download()))


def test_figures_are_saved_and_closed(local: Experiment) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.plot([1, 2])
    png = fetch(local, local.files("plots").save_fig(to="plot.png"))
    figure, _ = plt.subplots()
    pdf = fetch(local, local.files("plots").save_fig(figure, to="plot.pdf", dpi=150))

    assert png.read_bytes().startswith(b"\x89PNG")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("name", "frames", "options", "fps"),
    [
        ("a.mp4", FRAMES, {"fps": 30}, 30),
        ("b.mp4", FRAMES, {"codec": "libx264", "quality": 8}, 20),
        ("c.mp4", list(FRAMES[..., :1] / 255), {}, 20),
    ],
)
def test_films_have_all_their_frames(
    local: Experiment, name: str, frames: Any, options: dict[str, Any], fps: int
) -> None:
    ffmpeg = pytest.importorskip("imageio_ffmpeg")

    path = fetch(local, local.files("videos").save_video(frames, to=name, **options))

    count, seconds = ffmpeg.count_frames_and_secs(path)
    assert (count, seconds) == (5, pytest.approx(5 / fps, abs=0.01))


@pytest.mark.parametrize(
    ("frames", "options", "pause_ms"),
    [(FRAMES, {"fps": 10}, 100), (FRAMES[..., 0], {"codec": "x"}, 50)],
)
def test_gifs_have_all_their_frames(
    local: Experiment, frames: Any, options: dict[str, Any], pause_ms: int
) -> None:
    pytest.importorskip("imageio.v3")
    images = pytest.importorskip("PIL.Image")

    path = fetch(local, local.files("videos").save_video(frames, to="x.gif", **options))

    with images.open(path) as picture:
        assert (picture.n_frames, picture.size, picture.info["duration"]) == (5, (64, 48), pause_ms)


@pytest.mark.parametrize(
    ("name", "array", "mode"),
    [
        ("a.png", FRAMES[0], "RGB"),
        ("b.jpg", np.dstack([FRAMES[0], FRAMES[0][..., 0]]), "RGB"),
        ("c.png", FRAMES[0][..., 0] / 255, "L"),
    ],
)
def test_arrays_become_pictures(local: Experiment, name: str, array: Any, mode: str) -> None:
    images = pytest.importorskip("PIL.Image")

    saved = fetch(local, local.files("images").save(array, to=name))

    with images.open(saved) as picture:
        assert (picture.mode, picture.size) == (mode, (64, 48))
        if name.endswith(".png"):
            wanted = array if array.dtype == np.uint8 else np.round(array * 255)
            assert np.array_equal(np.asarray(picture), wanted)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([[0, 255]], [[0, 255]]),
        ([[0.0, 1.0]], [[0, 255]]),
        ([[False, True]], [[0, 255]]),
        ([[-1.0, 0.0, 1.0]], [[0, 128, 255]]),
        ([[-5, 295]], [[0, 255]]),
        ([[3.0, 3.0]], [[0, 0]]),
        ([[float("nan"), 1.0]], [[0, 255]]),
    ],
)
def test_numbers_of_any_kind_become_bytes(values: Any, wanted: Any) -> None:
    from ml_dash._content import _as_bytes

    assert _as_bytes(np.array(values)).tolist() == wanted
