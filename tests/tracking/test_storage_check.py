import pytest
from django.core import checks
from django.core.files.storage import default_storage

from tracking.storage_check import check_storage


@pytest.fixture
def say(monkeypatch):
    """A store of files with something wrong."""

    def find(text: str, *, may_pass: bool, databases: list[str] | None = ["default"]):  # noqa: B006 -- never changed
        default_storage.exists("")  # it is made when it is first asked
        monkeypatch.setattr(
            default_storage._wrapped, "find_fault", lambda: (text, may_pass), raising=False
        )
        return check_storage(databases=databases)

    return find


def test_files_on_disk_have_nothing_to_be_asked():
    assert check_storage(databases=["default"]) == []


def test_commands_that_need_no_store_do_not_ask_it(say):
    assert say("the keys are wrong", may_pass=False, databases=None) == []


def test_store_that_lets_the_server_in_is_not_mentioned(say):
    assert say("", may_pass=False) == []


def test_wrong_keys_stop_the_start(say):
    assert say("the keys are wrong", may_pass=False) == [
        checks.Error("The store of files cannot be used: the keys are wrong", id="runyard.E020")
    ]


def test_store_that_is_away_does_not(say):
    assert say("no route to host", may_pass=True) == [
        checks.Warning(
            "The store of files does not answer: no route to host",
            hint="Files are not to be had until it does.",
            id="runyard.W021",
        )
    ]
