import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from runyard.api import Api

from tests.e2e.live import LiveServer
from tests.sdk.commands.conftest import Outcome, import_tables
from tests.sdk.jobs import run_job

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


ENDS = """
run = aspara.init(project="ends", name="broken")
run.log({"loss": 1})
if not os.fork():
    os._exit(0)
raise ValueError("no such\\x1b[2J thing")
"""


def test_reason_of_a_failure_is_shown(runyard: Runyard, server: LiveServer, root: Path) -> None:
    code, _ = run_job(ENDS, root, server.url)

    assert code == 1
    shown = runyard("show", "ends/broken").out
    assert (
        "  status   failed\n  reason   ValueError: no such\N{REPLACEMENT CHARACTER}[2J thing\n"
        in shown
    )


def test_cancelled_run_is_not_called_failed(
    runyard: Runyard, server: LiveServer, root: Path, api: Api
) -> None:
    job = 'aspara.init(project="ends", name="cut"); raise KeyboardInterrupt'

    run_job(job, root, server.url)

    assert "  status   cancelled\n  reason   Ctrl-C\n" in runyard("show", "ends/cut").out
    assert api.run("ends", "cut").status == "cancelled"
    assert runyard("show", "ends/cut", "--json").json()["status"] == "cancelled"
    lines = runyard("export", "ends", "--query", "name = cut", "--jsonl").json()
    assert (lines["status"], "state" in lines) == ("cancelled", False)


def test_name_and_folder_stand_beside_the_key(runyard: Runyard, tmp_path: Path) -> None:
    import_tables(runyard, tmp_path / "named", "sweep one/lr=0.1", "sweep two/lr=0.1")

    assert "  called   sweep two/lr=0.1\n" in runyard("show", "named/lr-0-1-2").out
    heads, *rows = runyard("ls", "named").out.splitlines()
    assert heads.split() == ["RUN", "NAME", "STATUS", "STARTED", "DURATION", "TAGS"]
    assert sorted(row[:27] for row in rows) == [
        "lr-0-1    sweep one/lr=0.1 ",
        "lr-0-1-2  sweep two/lr=0.1 ",
    ]
    lines = csv.DictReader(runyard("export", "named").out.splitlines())
    assert sorted((line["name"], line["display_name"], line["folder"]) for line in lines) == [
        ("lr-0-1", "lr=0.1", "sweep one"),
        ("lr-0-1-2", "lr=0.1", "sweep two"),
    ]


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
