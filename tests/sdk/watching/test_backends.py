"""Runs that were logged with one backend, and went on with the other."""

import json

import pytest
from runyard.cli import main

from tests.sdk.watching.conftest import Site


def row(number: int) -> str:
    values = {"timestamp": number, "step": number, "metrics": {"loss": number}}
    return json.dumps(values) + "\n"


@pytest.mark.parametrize("is_watched", [True, False])
def test_run_that_goes_on_with_another_backend_is_there_once(site: Site, is_watched: bool) -> None:
    """As the original does, which asks for the backend at each start."""

    def bring() -> None:
        if is_watched:
            site.look()
        else:
            assert main(["import", str(site.root), "--url", site.server.url]) == 0

    site.path("").mkdir()
    site.path("one.jsonl").write_text(row(0) + row(1))
    bring()
    site.path("one.wal.jsonl").write_text(row(2) + '{"metrics": {"late": 1.0}}\n' + row(3))
    bring()
    with site.path("one.jsonl").open("a") as file:
        file.write(row(4))
    bring()
    with site.path("one.wal.jsonl").open("a") as file:
        file.write(row(5))
    for _ in range(2):
        bring()

    assert site.names() == ["one"]
    assert sorted(site.points("one")["loss"]) == [(n, float(n)) for n in range(6)]
    assert site.points("one")["late"] == [(3, 1.0)]


def test_rows_without_steps_go_on_behind_those_of_the_other_backend(site: Site) -> None:
    site.path("").mkdir()
    site.path("one.jsonl").write_text('{"metrics": {"loss": 0.5}}\n' * 3)
    site.path("one.wal.jsonl").write_text('{"metrics": {"loss": 0.25}}\n' * 2)

    site.look()

    assert site.points("one")["loss"] == [(0, 0.5), (1, 0.5), (2, 0.5), (3, 0.25), (4, 0.25)]
