"""The colours can be read, and told apart by people who see fewer of them."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

CSS = (Path(__file__).parents[2] / "static" / "css" / "app.css").read_text()
COLOR = re.compile(r"--([a-z0-9-]+): (#[0-9a-f]{6});")
SERIES = [f"series-{number}" for number in range(12)]
# How linear RGB looks to protanopes and deuteranopes (Machado and others, 2009).
EYES = {
    "all cones": np.eye(3),
    "no red cones": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "no green cones": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


def palette(theme: str) -> dict[str, NDArray[np.float64]]:
    """Name → linear RGB."""
    start = ':root[data-theme="dark"] {' if theme == "dark" else ":root {"
    block = CSS[CSS.index(start) :].split("}")[0]
    return {name: linear(text) for name, text in COLOR.findall(block)}


def linear(text: str) -> NDArray[np.float64]:
    channels = np.array([int(text[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    dark, light = sorted(float(rgb @ [0.2126, 0.7152, 0.0722]) for rgb in (one, other))
    return (light + 0.05) / (dark + 0.05)


def oklab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """A space where distance is difference as people see it (Ottosson, 2020)."""
    to_cones = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    to_lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    lab: NDArray[np.float64] = np.array(to_lab) @ np.cbrt(np.array(to_cones) @ np.clip(rgb, 0, 1))
    return lab


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("eyes", EYES)
def test_series_colours_are_told_apart(theme: str, eyes: str) -> None:
    colors = palette(theme)
    seen = [oklab(EYES[eyes] @ colors[name]) for name in SERIES]

    least = min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2))

    assert least > 0.08  # about four times the least difference people notice


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_stand_out_and_words_can_be_read(theme: str) -> None:
    colors = palette(theme)
    words = ["text", "text-muted", "accent", *(name for name in colors if "status" in name)]
    grounds = ["bg", "bg-sunken", "bg-hover", "bg-raised"]

    faint_lines = [name for name in SERIES if contrast(colors[name], colors["bg"]) < 3]
    faint_words = [
        (word, ground)
        for word in words
        for ground in grounds
        if contrast(colors[word], colors[ground]) < 4.5
    ]

    assert (faint_lines, faint_words) == ([], [])
    assert contrast(colors["accent"], colors["accent-soft"]) >= 4.5
