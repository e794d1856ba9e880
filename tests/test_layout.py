"""The project checks itself: what lies where, how long it is, and what it names."""

import ast
import json
import posixpath
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[1]
TOP_LEVEL = {
    *(".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md"),
    *("config", "dashboard", "deploy", "docs", "examples", "manage.py", "package-lock.json"),
    *("package.json", "pyproject.toml", "requirements-server.lock", "requirements.lock", "sdk"),
    *("static", "templates", "tests", "tracking"),
}
MAX_FILE_BYTES = 1024**2
MAX_LINES = {".py": 400, ".js": 150, ".css": 800, ".html": 120}
MAX_FUNCTION_LINES = 40
# In pieces, so that this file does not find itself.
FORBIDDEN = [
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "npmjs" + ".org",
    *(f"/{name}/" for name in ("work", "root")),
    "/opt" + "/wheels",
]
FOREIGN_HOST = re.compile(r"""(?:https?:|["'(=\s])//([a-z0-9.-]+\.[a-z]{2,})""", re.IGNORECASE)
NAMESPACES = {"www.w3.org"}  # names a vocabulary; nobody fetches it
VARIABLE = re.compile(r"\b(?:RUNYARD|ASPARA)_[A-Z][A-Z_]*[A-Z]\b")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def tracked(*patterns: str) -> list[Path]:
    """The files git holds, as far as they are here, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    paths = [Path(name) for name in listed.stdout.split("\0") if name]
    return [path for path in paths if (ROOT / path).is_file()]


def read(path: Path) -> str:
    """The text of a file; nothing of one that is not text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_top_level_holds_only_what_belongs_there() -> None:
    found = {path.parts[0] for path in tracked()}

    assert found - TOP_LEVEL == set()
    assert "manage.py" in found


def test_no_tracked_file_is_large() -> None:
    sizes = {path: (ROOT / path).stat().st_size for path in tracked()}

    assert {path: size for path, size in sizes.items() if size > MAX_FILE_BYTES} == {}


def test_no_tracked_file_names_a_registry_or_a_machine() -> None:
    texts = {path: read(path) for path in tracked()}

    found = [
        (str(path), word) for path, text in texts.items() for word in FORBIDDEN if word in text
    ]

    assert found == []


def test_pages_and_static_files_name_no_other_host() -> None:
    texts = {path: read(path) for path in tracked("templates", "static")}

    found = {
        (str(path), host)
        for path, text in texts.items()
        for host in FOREIGN_HOST.findall(text)
        if host not in NAMESPACES
    }

    assert found == set()
    assert texts


def test_source_files_stay_short() -> None:
    lengths = {
        str(path): len(read(path).splitlines())
        for path in tracked()
        if path.suffix in MAX_LINES and "migrations" not in path.parts
    }

    too_long = {path: n for path, n in lengths.items() if n > MAX_LINES[Path(path).suffix]}

    assert too_long == {}


def test_functions_stay_short() -> None:
    too_long = [
        f"{path}:{function.lineno} {function.name}: {lines} lines"
        for path in tracked("*.py")
        if "migrations" not in path.parts
        for function, lines in function_lengths(read(path))
        if lines > MAX_FUNCTION_LINES
    ]

    assert too_long == []


def function_lengths(source: str) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno
            yield node, node.end_lineno - node.lineno + 1


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{path}: {link}"
        for path in tracked("*.md")
        for link in LINK.findall(read(path))
        if not (ROOT / path.parent / link).exists()
    ]

    assert broken == []


def test_configuration_page_lists_the_variables_there_are() -> None:
    sources = [path for path in tracked("config", "sdk", "examples") if path.suffix == ".py"]
    used = {name for path in sources for name in VARIABLE.findall(read(path))}

    listed = set(VARIABLE.findall(read(Path("docs/configuration.md"))))

    assert {name.removesuffix("_FILE") for name in listed} == used  # a secret may be in a file


def test_development_page_lists_the_make_targets() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", read(Path("Makefile")), re.MULTILINE)) - {"help"}

    listed = set(re.findall(r"`make ([a-z-]+)`", read(Path("docs/development.md"))))

    assert listed == targets


@pytest.mark.django_db
def test_migrations_are_complete() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_static_files_are_collected_under_hashed_names(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "config.static.ModuleAwareStorage"}
    }

    call_command("collectstatic", interactive=False, verbosity=0)

    names = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    own = [str(path.relative_to("static")) for path in tracked("static")]
    assert [name for name in own if names[name] == name] == []
    assert [name for name in own if not (tmp_path / names[name]).is_file()] == []
    modules = [name for name in own if name.startswith("js/")]
    imports = [
        str(PurePosixPath("js", name))
        for module in modules
        for name in re.findall(
            r"""from\s+["'](\.[^"']+)["']""", (tmp_path / names[module]).read_text()
        )
    ]
    assert imports
    assert [name for name in imports if posixpath.normpath(name) not in names.values()] == []
