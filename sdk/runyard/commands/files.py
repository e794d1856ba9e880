"""Files of a run brought from the server, and looked at whether they are the same."""

import tempfile
import zipfile
from collections import Counter
from pathlib import Path

from runyard.api import RunRecord
from runyard.artifacts import digest


def save_files(run: RunRecord, folder: Path) -> tuple[int, list[str]]:
    """How many are in the folder then, and what is wrong with them. Raises: OSError.

    Names are those of the run's ZIP: what no file system takes is written otherwise there.
    """
    artifacts = run.facts["artifacts"]
    if not artifacts:
        return 0, []
    where = f"{run.project}/{run.name}"
    try:
        saved = _unpack(run, folder)
    except FileNotFoundError:
        return 0, [f"{where}: the server has lost its files"]
    except zipfile.BadZipFile:
        return 0, [f"{where}: its files have not come whole"]
    wanted = Counter(one["sha256"] for one in artifacts)
    missing = wanted - Counter(digest(path) for path in saved)
    names = [one["original_path"] for one in artifacts if one["sha256"] in missing]
    return len(saved), [f"{where}: {name} is not there as it was saved" for name in names]


def _unpack(run: RunRecord, folder: Path) -> list[Path]:
    with tempfile.TemporaryFile() as file:
        run.save_files(file)
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            folder.mkdir(parents=True, exist_ok=True)
            # `extract` keeps to the folder, whatever the names are.
            return [Path(archive.extract(name, folder)) for name in archive.namelist()]
