"""deploy/systemd/manage.sh, with a stand-in for `runuser` that shows what it was given."""

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "systemd" / "manage.sh"
SHOW = """#!/bin/sh
printf '%s\\n' "$@" "$RUNYARD_ALLOWED_HOSTS" "$RUNYARD_LOG_FORMAT" "$DATABASE_URL" "$PWD"
printf '%s\\n' "${RUNYARD_S3_SECRET_KEY-none}" "$RUNYARD_DATA_DIR"
"""


def test_command_gets_the_servers_variables_and_secrets(tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    (etc / "secrets").mkdir(parents=True)
    (etc / "runyard.env").write_text(
        '# $(false)\nRUNYARD_ALLOWED_HOSTS=a b, $(c)\n\nRUNYARD_LOG_FORMAT="json"'
    )
    (etc / "secrets" / "database_url").write_text("postgres://u:p@h/n\n")
    runuser = tmp_path / "runuser"
    runuser.write_text(SHOW)
    runuser.chmod(0o755)
    variables = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "ETC": str(etc)}

    shown = subprocess.run(
        [SCRIPT, "backup", "/b/x y"], env=variables, capture_output=True, text=True, check=True
    ).stdout

    assert shown.splitlines() == [
        *("-u", "runyard", "--", ".venv/bin/python", "manage.py", "backup", "/b/x y"),
        *("a b, $(c)", "json", "postgres://u:p@h/n", str(SCRIPT.parents[2]), "none"),
        "/var/lib/runyard",
    ]
