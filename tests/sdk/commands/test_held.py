from collections.abc import Callable
from pathlib import Path

import pytest
from runyard.commands.held import bits_of, find_spools, is_alive, read_held
from runyard.records import encode_event
from runyard.spool import Spool

from tests.sdk.conftest import add_rows


def test_only_what_the_server_says_it_has_is_looked_at(spool: Spool) -> None:
    add_rows(spool, 9)

    held = read_held(spool.path, spool.meta, 4)

    assert (held.first_seq, held.last_seq, held.damaged_count) == (1, 10, 0)
    assert {point.step for point in held.points["loss"]} == {0, 1, 2}
    assert read_held(spool.path, spool.meta, 99).points["loss"].total() == 9
    assert read_held(spool.path, spool.meta, 0).points == {}


@pytest.mark.parametrize("path", ["models/best", "/models/best/"])
def test_files_are_known_by_their_path_and_the_last_one_counts(spool: Spool, path: str) -> None:
    for checksum in ("a" * 64, "b" * 64):
        payload = {"name": "m.pt", "path": path, "checksum": checksum, "file": "x"}
        spool.append(encode_event("artifact", payload))
    spool.append(encode_event("artifact", {"name": "m.pt", "file": "y"}))

    held = read_held(spool.path, spool.meta, 4)

    assert held.files == {"models/best/m.pt": "b" * 64, "m.pt": ""}


def test_spools_are_found_by_what_the_job_or_the_server_calls_the_run(
    make_spool: Callable[..., Spool], root: Path
) -> None:
    plain = make_spool()
    renamed = make_spool(key="x", server_key="r", server_project="p")
    make_spool(key="other")

    found = {path for path, _ in find_spools(root, "p", "r")}

    assert found == {plain.path, renamed.path}
    assert {path for path, _ in find_spools(root, "p", "x")} == {renamed.path}
    assert list(find_spools(root, "q", "r")) == []


def test_spool_that_goes_meanwhile_is_told(spool: Spool) -> None:
    add_rows(spool, 1)
    meta, path = spool.meta, spool.path
    spool.remove()

    with pytest.raises(FileNotFoundError):
        read_held(path, meta, 99)


def test_life_is_told_by_the_lock(spool: Spool) -> None:
    assert is_alive(spool.path)
    spool.release()
    assert not is_alive(spool.path)


def test_values_are_compared_bit_by_bit() -> None:
    assert bits_of(0.0) != bits_of(-0.0)
    assert bits_of(float("nan")) == bits_of(-float("nan"))
