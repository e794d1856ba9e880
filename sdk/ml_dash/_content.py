"""What can be saved that is not a file yet. Heavy libraries are imported when they are needed."""

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any

from runyard.values import as_json

Content = Callable[[Path], None]


def need(module: str, extra: str) -> Any:
    """The module. Raises: ImportError that names the extra to install."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"This needs {module.partition('.')[0]} ({error}): pip install 'runyard[{extra}]'",
            name=module,
        ) from None


def of_text(text: str) -> Content:
    if not isinstance(text, str):
        raise TypeError(f"save_text takes text, not {type(text).__name__}.")
    return of_bytes(text.encode())


def of_bytes(content: bytes | bytearray | memoryview) -> Content:
    if not isinstance(content, (bytes, bytearray, memoryview)):
        raise TypeError(f"save_blob takes bytes, not {type(content).__name__}.")
    data = bytes(content)

    def write(path: Path) -> None:
        path.write_bytes(data)

    return write


def of_json(content: Any) -> Content:
    return of_bytes(json.dumps(as_json(content, "content"), indent=2).encode())


def of_pickle(content: Any) -> Content:
    import pickle  # noqa: PLC0415 -- slow import

    def write(path: Path) -> None:
        with path.open("wb") as file:
            pickle.dump(content, file)

    return write


def of_anything(content: Any, to: str) -> Content:
    """Raises: TypeError for what has no obvious form."""
    if isinstance(content, (bytes, bytearray, memoryview)):
        return of_bytes(content)
    if isinstance(content, (Mapping, list, tuple)):
        return of_json(content)
    if hasattr(content, "shape") and hasattr(content, "dtype"):
        return of_image(content, to, 95)
    raise TypeError(
        f"save() cannot tell how to write a {type(content).__name__}: use save_json, save_torch, "
        "save_pkl, save_fig, save_image or save_video."
    )


def of_torch(model: Any) -> Content:
    torch = need("torch", "torch")
    return lambda path: torch.save(model, path)


def of_figure(figure: Any, options: Mapping[str, Any]) -> Content:
    plt = need("matplotlib.pyplot", "plots") if figure is None else None
    shown = plt.gcf() if plt else figure
    if not hasattr(shown, "savefig"):
        raise TypeError(f"save_fig takes a figure of matplotlib, not {type(shown).__name__}.")

    def write(path: Path) -> None:
        try:
            shown.savefig(path, **options)
        finally:
            need("matplotlib.pyplot", "plots").close(shown)

    return write


def of_image(array: Any, to: str, quality: int) -> Content:
    images = need("PIL.Image", "images")
    picture = images.fromarray(_as_bytes(_as_picture(array)))
    is_jpeg = PurePosixPath(to).suffix.lower() in {".jpg", ".jpeg"}
    if is_jpeg:
        picture = picture.convert("L" if picture.mode == "L" else "RGB")
    options = {"quality": quality} if is_jpeg else {}
    return lambda path: picture.save(path, **options)


def of_video(frames: Any, to: str, fps: int, options: Mapping[str, Any]) -> Content:
    """Raises: ValueError for a name that is no video's, ImportError."""
    suffix = PurePosixPath(to).suffix.lower()
    if suffix not in {".mp4", ".gif"}:
        raise ValueError(f"A video is called .mp4 or .gif, not {to!r}.")
    if len(frames) == 0:
        raise ValueError("A video needs at least one frame.")
    video, numpy = need("imageio.v3", "video"), need("numpy", "video")
    if suffix == ".mp4":
        need("imageio_ffmpeg", "video")
    values = _as_bytes(numpy.stack([_as_picture(frame) for frame in frames]))
    pictures = numpy.stack([values] * 3, axis=-1) if values.ndim == 3 else values[..., :3]
    if suffix == ".mp4":
        return lambda path: video.imwrite(path, pictures, plugin="FFMPEG", fps=fps, **options)
    kept = {key: value for key, value in options.items() if key not in {"codec", "quality"}}
    pause = {"duration": 1000 / fps, "loop": 0}
    return lambda path: video.imwrite(path, pictures, plugin="pillow", **{**pause, **kept})


def _as_picture(array: Any) -> Any:
    """An array of two dimensions, or with three or four colours. Raises: ValueError."""
    values = need("numpy", "images").asarray(array)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim != 2 and (values.ndim != 3 or values.shape[2] not in {3, 4}):
        raise ValueError(f"A picture is grey, RGB or RGBA, not of the shape {values.shape}.")
    return values


def _as_bytes(values: Any) -> Any:
    """Bytes as they are, floats from 0 to 1 as shares of 255, anything else stretched to it."""
    numpy = need("numpy", "images")
    if values.dtype == numpy.uint8:
        return values
    is_whole = values.dtype.kind in "iu"
    values = numpy.nan_to_num(values.astype(float))
    low, high = values.min(), values.max()
    if is_whole and low >= 0 and high <= 255:
        return values.astype(numpy.uint8)
    if low < 0 or high > 1:
        values = (values - low) / ((high - low) or 1)
    return (values * 255).round().astype(numpy.uint8)
