"""What the environment makes of the settings, in a process of its own: they are read once."""

import pytest

from tests.commands import manage


@pytest.mark.parametrize("proxies", ["0", "1"])
def test_deployment_in_login_mode_has_nothing_to_warn_of(proxies):
    words = ("check", "--deploy", "--fail-level", "WARNING")

    done = manage(
        *words,
        RUNYARD_ACCESS="login",
        RUNYARD_TRUST_PROXY=proxies,
        RUNYARD_ALLOWED_HOSTS="runs.example.org",
    )

    assert (done.returncode, done.stdout) == (
        0,
        "System check identified no issues (5 silenced).\n",
    )


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"RUNYARD_ACCESS": "closed"}, "RUNYARD_ACCESS='closed' is not one of login, open."),
        ({"RUNYARD_TRUST_PROXY": "yes"}, "RUNYARD_TRUST_PROXY='yes' is not a whole number."),
    ],
)
@pytest.mark.parametrize("command", ["check", "restore"])
def test_what_is_not_understood_stops_the_start_with_a_line(command, variables, problem):
    done = manage(command, **variables)

    assert (done.returncode, done.stderr) == (1, f"{problem}\n")


def test_traceback_of_a_wrong_setting_is_to_be_had():
    done = manage("check", "--traceback", RUNYARD_ACCESS="closed")

    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")


def test_serve_reads_access_before_the_settings():
    done = manage("serve", "--access", "closed")

    assert done.returncode == 1
    assert "RUNYARD_ACCESS='closed' is not one of login, open." in done.stderr
