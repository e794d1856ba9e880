import re
from collections.abc import Callable

import pytest

from tests.sdk.commands.conftest import Outcome

pytestmark = pytest.mark.e2e
Runyard = Callable[..., Outcome]

SHOWN = """\
looked-at/r2
  status   failed, exit code 1
  started  TIME
  ended    TIME, after A WHILE
  tags     a, b\N{REPLACEMENT CHARACTER}[31m

Notes
  first line
  second

Config
  lr           0.2
  model.depth  2
  large        1180591620717411303424

Summary
  best  2

Metrics
  acc/top  0.8
  loss     8

Files
  m.pt  7 B
"""


def test_all_that_is_known_is_shown(runyard: Runyard, project: str) -> None:
    outcome = runyard("show", f"{project}/r2")

    assert outcome.status == 0
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", outcome.out)
    assert re.sub("after .*", "after A WHILE", text) == SHOWN


def test_what_a_run_lacks_is_left_out(runyard: Runyard, project: str) -> None:
    outcome = runyard("show", f"{project}/r0")

    titles = [line for line in outcome.out.splitlines()[1:] if line and line[0] != " "]
    assert titles == ["Config", "Summary", "Metrics"]


def test_json_is_what_the_server_says(runyard: Runyard, project: str) -> None:
    facts = runyard("show", f"{project}/r1", "--json").json()

    assert facts["metrics"] == {"acc/top": 0.5, "loss": 5.0}
    assert facts["artifacts"][0]["name"] == "m.pt"


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("looked-at/nope", 1, "Run 'nope' not found in project 'looked-at'"),
        ("r1", 2, "A run is named PROJECT/RUN, not 'r1'."),
        ("a/b/c", 2, "A run is named PROJECT/RUN, not 'a/b/c'."),
    ],
)
def test_what_cannot_be_shown_is_explained(
    runyard: Runyard, project: str, name: str, status: int, said: str
) -> None:
    assert runyard("show", name) == (status, "", f"runyard: {said}\n")
