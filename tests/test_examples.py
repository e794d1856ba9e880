"""The examples, as far as they need no server; tests/e2e/test_demo.py runs them whole."""

import os
import socket
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.fixture(scope="module")
def train_digits() -> ModuleType:
    spec = spec_from_file_location("train_digits", EXAMPLES / "train_digits.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_gradients_are_those_of_the_loss(train_digits: ModuleType) -> None:
    rng = np.random.default_rng(1)
    network = train_digits.Network(rng)
    images, labels = rng.normal(size=(20, 64)), rng.integers(0, 10, 20)
    gradients = network.gradients(images, labels)
    nudge = 1e-6

    for name, weights in network.weights.items():
        place = np.unravel_index(np.abs(gradients[name]).argmax(), weights.shape)
        losses = []
        for sign in (1, -1):
            weights[place] += sign * nudge
            losses.append(network.evaluate(images, labels, "val")["val/loss"])
            weights[place] -= sign * nudge
        slope = (losses[0] - losses[1]) / (2 * nudge)

        assert gradients[name][place] == pytest.approx(slope, rel=1e-4)


def test_network_learns_the_digits(train_digits: ModuleType) -> None:
    images, val_images, labels, val_labels = train_digits.load_images()
    rng = np.random.default_rng(1)
    network = train_digits.Network(rng)

    for _ in range(150):
        batch = rng.choice(len(labels), train_digits.BATCH_SIZE, replace=False)
        metrics = network.learn(images[batch], labels[batch], 0.05)

    assert metrics.keys() == {
        "train/loss",
        "train/accuracy",
        "weights/norm",
        "weights/update_norm",
    }
    assert network.evaluate(val_images, val_labels, "val")["val/accuracy"] > 0.8


def test_demo_says_in_one_line_that_its_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run(
            [sys.executable, EXAMPLES / "demo.py"],
            env=os.environ | {"RUNYARD_DEMO_PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        f"Port {port} is taken. Take another: RUNYARD_DEMO_PORT={port + 1} make demo\n"
    )
