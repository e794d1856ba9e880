"""Files with bytes changed, cut out or added anywhere: an import tells of it, and goes on."""

import random
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from runyard.importing.detect import open_source
from runyard.importing.source import Options

from tests.sdk.importing.reading import RECORDED
from tests.sdk.importing.test_mlflow import MAKERS
from tests.sdk.importing.test_real_formats import make_table

ROUNDS = 25


def make_board(folder: Path) -> Path:
    return Path(shutil.copytree(RECORDED / "tensorboard", folder / "board"))


def make_parquet(folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"step": range(500), "loss": [0.5] * 500, "run": ["a", "b"] * 250})
    pq.write_table(table, folder / "table.parquet")
    return folder / "table.parquet"


SOURCES = {"board": make_board, "csv": make_table, "parquet": make_parquet, **MAKERS}


def damage(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    end = at + chance.choice([0, 1, 20, len(data)])
    return data[:at] + chance.randbytes(chance.choice([0, 1, 8])) + data[end:]


def read_all(path: Path) -> None:
    """Only a file that cannot be read at all may say so by an error."""
    try:
        source = open_source(path, Options(idle_s=0.0))
    except ValueError:  # it holds nothing to import any more
        return
    for run in source.find():
        with suppress(OSError):
            for strand in source.strands(run):
                list(strand.read(1))


@pytest.mark.parametrize("kind", SOURCES)
def test_damage_anywhere_is_survived(tmp_path: Path, kind: str) -> None:
    chance = random.Random(kind)
    path = SOURCES[kind](tmp_path)
    files = sorted(one for one in ([path] if path.is_file() else path.rglob("*")) if one.is_file())
    whole = {file: file.read_bytes() for file in files}

    for _ in range(ROUNDS):
        for file in chance.sample(files, min(len(files), 3)):
            file.write_bytes(damage(whole[file], chance))
        read_all(path)
        for file, data in whole.items():
            file.write_bytes(data)
