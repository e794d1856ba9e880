"""Train small neural networks on handwritten digits, and log every step.

    python examples/train_digits.py --server http://127.0.0.1:3141

One run for each learning rate. The network is plain NumPy, so that nothing hides what is logged.
"""

import argparse
import math
import sys
import tempfile
import time
from pathlib import Path

import aspara
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

LEARNING_RATES = ["3e-3", "1e-2", "3e-2", "1e-1"]  # the first is too low: so it can be seen
BATCH_SIZE = 32
HIDDEN_UNITS = 48
SEED = 7
VALIDATE_EVERY = 10  # steps
NOTES = """Gradient descent in **small batches** of {batch} digits.

* The learning rate begins at `{rate}` and falls to zero along a cosine.
* The network is plain NumPy, so that nothing hides what is logged.
"""

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


class Network:
    """64 pixels → hidden units (ReLU) → the probabilities of ten digits (softmax)."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.weights = {
            "hidden": rng.normal(0, np.sqrt(2 / 64), (64, HIDDEN_UNITS)),
            "hidden_bias": np.zeros(HIDDEN_UNITS),
            "output": rng.normal(0, np.sqrt(1 / HIDDEN_UNITS), (HIDDEN_UNITS, 10)),
            "output_bias": np.zeros(10),
        }

    def forward(self, images: Floats) -> tuple[Floats, Floats]:
        """What the hidden units say, and the probabilities."""
        weights = self.weights
        hidden = np.maximum(images @ weights["hidden"] + weights["hidden_bias"], 0)
        scores = hidden @ weights["output"] + weights["output_bias"]
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        return hidden, odds / odds.sum(axis=1, keepdims=True)

    def gradients(self, images: Floats, labels: Labels) -> dict[str, Floats]:
        """How the mean loss over these images changes with each weight."""
        hidden, probabilities = self.forward(images)
        errors = (probabilities - np.eye(10)[labels]) / len(labels)
        hidden_errors = errors @ self.weights["output"].T * (hidden > 0)
        return {
            "hidden": images.T @ hidden_errors,
            "hidden_bias": hidden_errors.sum(axis=0),
            "output": hidden.T @ errors,
            "output_bias": errors.sum(axis=0),
        }

    def evaluate(self, images: Floats, labels: Labels, kind: str) -> dict[str, float]:
        """Mean loss and accuracy as `kind/loss` and `kind/accuracy`."""
        _, probabilities = self.forward(images)
        losses = -np.log(probabilities[np.arange(len(labels)), labels] + 1e-12)
        hits = probabilities.argmax(axis=1) == labels
        return {f"{kind}/loss": float(losses.mean()), f"{kind}/accuracy": float(hits.mean())}

    def learn(self, images: Floats, labels: Labels, learning_rate: float) -> dict[str, float]:
        """One step downhill. Returns what is worth logging about it."""
        metrics = self.evaluate(images, labels, "train")
        updates = {
            name: -learning_rate * gradient
            for name, gradient in self.gradients(images, labels).items()
        }
        for name, update in updates.items():
            self.weights[name] += update
        norms = {"weights/norm": norm(self.weights), "weights/update_norm": norm(updates)}
        return metrics | norms


def norm(arrays: dict[str, Floats]) -> float:
    return math.sqrt(sum(float((array**2).sum()) for array in arrays.values()))


def train(run: aspara.Run, network: Network, peak: float, steps: int, pause_s: float) -> None:
    """Train with a learning rate that falls from its peak to zero along a cosine."""
    images, val_images, labels, val_labels = load_images()
    rng = np.random.default_rng(SEED)
    best_accuracy = 0.0
    for step in range(steps):
        batch = rng.choice(len(labels), BATCH_SIZE, replace=False)
        learning_rate = peak * (1 + math.cos(math.pi * step / steps)) / 2
        metrics = network.learn(images[batch], labels[batch], learning_rate)
        if step % VALIDATE_EVERY == 0 or step == steps - 1:
            metrics |= network.evaluate(val_images, val_labels, "val")
            if metrics["val/accuracy"] > best_accuracy:
                best_accuracy = metrics["val/accuracy"]
                run.summary.update({"best_val_accuracy": best_accuracy, "best_step": step})
        run.log(metrics)
        report(run.name, step + 1, steps, metrics["train/loss"], best_accuracy)
        time.sleep(pause_s)


def load_images() -> list[NDArray]:
    """1,797 digits of 8 × 8 pixels from −2 to 2: training and validation images, then their labels."""
    digits = load_digits()
    return train_test_split(digits.data / 4 - 2, digits.target, test_size=0.25, random_state=SEED)


def report(name: str, done: int, steps: int, loss: float, best_accuracy: float) -> None:
    """A line of progress, four times a run."""
    if done % max(1, steps // 4) == 0:
        print(
            f"{name}  step {done:>4} of {steps}  loss {loss:.3f}"
            f"  best validation accuracy {best_accuracy:.1%}",
            flush=True,
        )


def keep_files(run: aspara.Run, network: Network) -> None:
    """The weights, and which digits the network takes for which."""
    _, images, _, labels = load_images()
    guesses = network.forward(images)[1].argmax(axis=1)
    confusion = np.zeros((10, 10), np.int64)
    np.add.at(confusion, (labels, guesses), 1)
    with tempfile.TemporaryDirectory() as folder:
        model, table = Path(folder, "model.npz"), Path(folder, "confusion.csv")
        np.savez(model, **network.weights)
        head = ",".join(["digit", *(f"seen as {digit}" for digit in range(10))])
        rows = np.column_stack([np.arange(10), confusion])
        np.savetxt(table, rows, fmt="%d", delimiter=",", header=head, comments="")
        run.log_artifact(str(model), description="The trained weights", category="model")
        run.log_artifact(str(table), description="Of the validation images", category="data")


def main() -> None:
    options = parse_options()
    started = time.strftime("%m%d-%H%M%S")  # names of runs are unique within a project
    for rate in LEARNING_RATES[: options.runs]:
        config = {"learning_rate": float(rate), "steps": options.steps, "schedule": "cosine"}
        shape = {"batch_size": BATCH_SIZE, "hidden_units": HIDDEN_UNITS, "seed": SEED}
        with aspara.init(
            project="digits",
            name=f"lr-{rate}-{started}",
            config=config | shape,
            tags=["numpy", "mlp"],
            notes=NOTES.format(rate=rate, batch=BATCH_SIZE),
            tracker_uri=options.server,
        ) as run:
            network = Network(np.random.default_rng(SEED))
            train(run, network, float(rate), options.steps, options.pause)
            keep_files(run, network)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", default="http://127.0.0.1:3141", help="default: %(default)s")
    parser.add_argument(
        "--runs", type=int, default=len(LEARNING_RATES), help="how many rates to try"
    )
    parser.add_argument("--steps", type=int, default=500, help="default: %(default)s")
    parser.add_argument(
        "--pause", type=float, default=0.016, help="seconds after each step; default: %(default)s"
    )
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Stopped.")  # the run is marked as cancelled
