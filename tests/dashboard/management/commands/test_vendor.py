from pathlib import Path

import pytest

from dashboard.management.commands.vendor import copy_modules


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
