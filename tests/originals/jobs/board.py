"""Event files in a directory: `board.py torch|tensorboardX|tensorboard DIRECTORY`."""

import math
import sys
import time
from pathlib import Path
from typing import Any

NOW = 1_767_323_045.0  # 2026-01-02


def write_with_summary_writer(writer_class: Any, root: Path) -> None:
    """PyTorch's writer, and tensorboardX, which has the same methods."""
    import numpy as np

    with writer_class(str(root / "vision" / "cnn")) as writer:
        for step in range(20):
            writer.add_scalar("train/loss", 1 / (step + 1), step, walltime=NOW + step)
            writer.add_scalar("val/acc", step / 32, step, walltime=NOW + step + 0.5)
        writer.add_scalar("train/loss", math.nan, 20, walltime=NOW + 20)
        writer.add_scalar("train/loss", math.inf, 21, walltime=NOW + 21)
        writer.add_text("words", "**bold** <script>alert(1)</script>", 3, walltime=NOW + 22)
        writer.add_histogram("weights", np.arange(10.0), 0, walltime=NOW + 23)
        writer.add_image("picture", np.zeros((3, 4, 4), dtype=np.uint8), 0, walltime=NOW + 24)
        hparams = {"lr": 0.1, "layers": 3, "optimizer": "adam"}
        named = {"run_name": "trial"} if "torch" in writer_class.__module__ else {"name": "trial"}
        writer.add_hparams(hparams, {"hparam/acc": 0.75}, **named)
    time.sleep(1.1)  # files are named by the second
    with writer_class(str(root / "vision" / "cnn")) as writer:  # a restart, a few steps back
        for step in range(15, 25):
            writer.add_scalar("train/loss", 2 / (step + 1), step, walltime=NOW + 100 + step)


def write_with_tensorboard(root: Path) -> None:
    """Numbers as tensors, as TensorFlow 2 writes them, too."""
    from tensorboard.summary import Writer

    writer = Writer(str(root / "tensors"))
    for step in range(10):
        writer.add_scalar("loss", step / 8, step, wall_time=NOW + step)
    writer.close()


def main(kind: str, root: Path) -> None:
    if kind == "torch":
        from torch.utils.tensorboard import SummaryWriter

        write_with_summary_writer(SummaryWriter, root)
    elif kind == "tensorboardX":
        from tensorboardX import SummaryWriter

        write_with_summary_writer(SummaryWriter, root)
    else:
        write_with_tensorboard(root)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
