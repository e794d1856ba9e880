from pathlib import Path

import pytest
from django.core.management.base import CommandError

from dashboard.management.commands.vendor import (
    NO_IMAGE,
    REDOC_LOGO,
    SIDECAR,
    copy_modules,
    copy_redoc,
)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    sources = {
        "uplot/dist/uPlot.iife.min.js": "var uPlot=1;",
        "uplot/dist/uPlot.min.css": ".uplot {}",
        "uplot/LICENSE": "MIT",
        "@msgpack/msgpack/dist.umd/msgpack.min.js": "x();\n//# sourceMappingURL=msgpack.min.js.map",
        "@msgpack/msgpack/LICENSE": "ISC",
    }
    for name, text in sources.items():
        path = tmp_path / "node_modules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "node_modules"


def test_copy_modules_makes_es_modules_with_their_licences(packages: Path, tmp_path: Path) -> None:
    vendor = tmp_path / "vendor"

    copy_modules(packages, vendor)

    assert {path.name: path.read_text() for path in vendor.iterdir()} == {
        "uplot.js": "var uPlot=1;\nexport default uPlot;\n",
        "uplot.css": ".uplot {}",
        "uplot.LICENSE": "MIT",
        "msgpack.js": (
            "const module = { exports: {} }, exports = module.exports;\n"
            "x();\n"
            "export const { decode, encode } = module.exports;\n"
        ),
        "msgpack.LICENSE": "ISC",
    }


def test_copy_redoc_takes_out_nothing_but_the_logo(tmp_path: Path) -> None:
    package = SIDECAR / "redoc"

    copy_redoc(package, tmp_path)

    original = (package / "bundles" / "redoc.standalone.js").read_text()
    script, _, source_map = original.rpartition("\n//# sourceMappingURL")
    copied = (tmp_path / "redoc.js").read_text()
    assert source_map
    assert copied == script.replace(REDOC_LOGO, NO_IMAGE)
    assert "cdn.redoc" not in copied
    assert "MIT" in (tmp_path / "redoc.LICENSE").read_text()
    assert (tmp_path / "redoc.standalone.js.LICENSE.txt").exists()


def test_copy_redoc_notices_a_logo_that_has_moved(tmp_path: Path) -> None:
    (tmp_path / "bundles").mkdir()
    (tmp_path / "bundles" / "redoc.standalone.js").write_text("x();")

    with pytest.raises(CommandError, match="does not name"):
        copy_redoc(tmp_path, tmp_path / "vendor")
