import os
import subprocess
from pathlib import Path

import pytest
from runyard.git import describe_checkout

NOBODY = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits on `main`."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for message in ("one", "two"):
        git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return folder


def git(folder: Path, *arguments: str) -> str:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=kept | NOBODY,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.strip()


def commit_of(folder: Path) -> str:
    return git(folder, "rev-parse", "HEAD")


def test_branch_and_commit_are_known_below_too(repository: Path) -> None:
    below = repository / "src" / "deep"
    below.mkdir(parents=True)

    expected = {"commit": commit_of(repository), "branch": "main"}
    assert describe_checkout(repository) == expected
    assert describe_checkout(below) == expected


def test_packed_refs_are_read(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "feature/main")
    git(repository, "commit", "-q", "--allow-empty", "-m", "three")
    git(repository, "tag", "-a", "v1", "-m", "one")
    git(repository, "pack-refs", "--all")

    assert not (repository / ".git" / "refs" / "heads" / "main").exists()
    assert describe_checkout(repository) == {
        "commit": commit_of(repository),
        "branch": "feature/main",
    }
    git(repository, "checkout", "-q", "main")
    assert describe_checkout(repository) == {"commit": commit_of(repository), "branch": "main"}


def test_ref_that_moved_on_counts_more_than_the_packed_one(repository: Path) -> None:
    git(repository, "pack-refs", "--all")
    git(repository, "commit", "-q", "--allow-empty", "-m", "three")

    assert describe_checkout(repository)["commit"] == commit_of(repository)


def test_detached_head_has_no_branch(repository: Path) -> None:
    git(repository, "checkout", "-q", "HEAD~1")

    assert describe_checkout(repository) == {"commit": commit_of(repository)}


def test_repository_without_a_commit_has_a_branch_only(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "fresh")

    assert describe_checkout(tmp_path) == {"branch": "fresh"}


@pytest.mark.parametrize("is_packed", [False, True])
def test_worktree_has_a_branch_of_its_own(repository: Path, is_packed: bool) -> None:
    tree = repository.parent / "tree"
    git(repository, "worktree", "add", "-q", "-b", "other", str(tree))
    git(tree, "commit", "-q", "--allow-empty", "-m", "there")
    if is_packed:
        git(repository, "pack-refs", "--all")

    assert describe_checkout(tree) == {"commit": commit_of(tree), "branch": "other"}
    assert describe_checkout(repository) == {"commit": commit_of(repository), "branch": "main"}
    assert commit_of(tree) != commit_of(repository)


def test_git_directory_elsewhere_is_found(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "--separate-git-dir", "store", "work tree")
    tree = tmp_path / "work tree"
    git(tree, "commit", "-q", "--allow-empty", "-m", "one")

    assert describe_checkout(tree) == {"commit": commit_of(tree), "branch": "main"}


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("", {}),
        ("nonsense", {}),
        ("ref: /etc/hostname", {}),
        ("ref: refs/heads/x", {"branch": "x"}),
        ("a" * 40, {"commit": "a" * 40}),
        ("a" * 64, {"commit": "a" * 64}),
        ("a" * 50, {}),
    ],
)
def test_odd_heads_do_no_harm(tmp_path: Path, head: str, expected: dict[str, str]) -> None:
    folder = tmp_path / ".git"
    (folder / "refs" / "heads").mkdir(parents=True)
    (folder / "HEAD").write_text(head)
    (folder / "refs" / "heads" / "x").write_bytes(b"no commit \xff\0")

    assert describe_checkout(tmp_path) == expected


def test_outside_a_repository_there_is_nothing(tmp_path: Path) -> None:
    assert describe_checkout(tmp_path) == {}
    (tmp_path / ".git").write_text("gitdir: nowhere")
    assert describe_checkout(tmp_path) == {}


def test_search_stays_on_one_file_system(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mount = repository / "mount"
    mount.mkdir()
    true_stat = Path.stat

    def stat(path: Path, **options: bool) -> os.stat_result:
        found = true_stat(path, **options)
        return (
            found if path != mount else os.stat_result((*found[:2], found.st_dev + 1, *found[3:]))
        )

    monkeypatch.setattr(Path, "stat", stat)

    assert describe_checkout(mount) == {}
    assert describe_checkout(repository)["branch"] == "main"
