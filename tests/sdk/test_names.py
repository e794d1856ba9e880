import hashlib
import random
import re

import pytest
from runyard.names import full_jitter, generate_name, local_key


def test_names_differ_and_leave_the_jobs_random_numbers_alone() -> None:
    random.seed(1)
    before = random.getstate()

    names = {generate_name() for _ in range(200)}

    assert len(names) > 195
    assert all(re.fullmatch(r"[a-z]+-[a-z]+-[1-9][0-9]{0,3}", name) for name in names)
    assert random.getstate() == before


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("exp_1", "exp_1"),
        ("exp 1", "exp-1"),
        ("a/b-c", "a-b-c-"),
        ("a-b/c", "a-b-c-"),
        ("实验一", "run-"),
        ("实验二", "run-"),
        ("../..", "run-"),
        ("x" * 250, "x" * 200 + "-"),
    ],
)
def test_names_become_keys_of_their_own(name: str, key: str) -> None:
    digest = "" if not key.endswith("-") else hashlib.sha256(name.encode()).hexdigest()[:6]

    assert local_key(name, "run") == key + digest


def test_jitter_fills_its_range() -> None:
    waits = [full_jitter(2.0) for _ in range(500)]

    assert 0 <= min(waits) < 0.5
    assert 1.5 < max(waits) <= 2.0
