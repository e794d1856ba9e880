"""The offline bundle: what git holds, browser libraries and wheels, in dist/runyard-VERSION.tar.gz.

For the Python and the kind of machine that it is made with; `install.sh` in it asks no network.
"""

import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
from pathlib import Path

from packaging.markers import Marker

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = [":(exclude)tests", ":(exclude).ci", ":(exclude)docs/images"]
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


def main(out: Path) -> None:
    about = tomllib.loads((ROOT / "pyproject.toml").read_text())
    name = f"runyard-{about['project']['version']}"
    with tempfile.TemporaryDirectory(prefix="runyard-bundle-") as temporary:
        folder = Path(temporary, name)
        folder.mkdir()
        copy_source(folder)
        shutil.copytree(ROOT / "static" / "vendor", folder / "static" / "vendor")
        gather_wheels(folder / "requirements-server.lock", folder / "wheels")
        shutil.move(folder / "deploy" / "install.sh", folder)
        (folder / "BUNDLE").write_text(f'wants="{this_python()}"\n')
        out.mkdir(parents=True, exist_ok=True)
        with tarfile.open(out / f"{name}.tar.gz", "w:gz", compresslevel=6) as bundle:
            bundle.add(folder, name, filter=owned_by_root)
    print(f"{out / name}.tar.gz, for Python {this_python()}")  # noqa: T201 -- what make says


def copy_source(folder: Path) -> None:
    """Of the last commit; what is not committed stays at home."""
    packed = folder.with_suffix(".tar")
    run(["git", "archive", "--format=tar", f"--output={packed}", "HEAD", "--", ".", *LEFT_OUT])
    with tarfile.open(packed) as source:
        source.extractall(folder, filter="data")


def gather_wheels(lock: Path, wheels: Path) -> None:
    """Those of the lock, checked against its hashes, and the one that jobs install."""
    wheels.mkdir()
    wanted = wheels / "wanted"
    wanted.write_text(for_any_patch(lock.read_text()))
    only = ["--no-deps", "--only-binary", ":all:", "--require-hashes"]
    run([*PIP, "download", *only, "--requirement", str(wanted), "--dest", str(wheels)])
    wanted.unlink()
    run([*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), "./sdk"])


def for_any_patch(lock: str) -> str:
    """What of the lock some patch of this Python needs: 3.11.2 takes a package that 3.11.7 does not."""
    major, minor = sys.version_info[:2]
    patches = [{"python_full_version": f"{major}.{minor}.{patch}"} for patch in (0, 99)]
    kept = []
    for entry in re.split(r"\n(?=\S)", lock.strip()):
        head, *hashes = entry.split(" \\\n")
        pin, _, condition = head.partition(" ; ")
        if not condition or any(Marker(condition).evaluate(patch) for patch in patches):
            kept.append(" \\\n".join([pin, *hashes]))
    return "\n".join(kept) + "\n"


def this_python() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]} {sysconfig.get_platform()}"


def owned_by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def run(command: list[str]) -> None:
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 -- our own words


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist")
