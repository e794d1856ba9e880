import math

import pytest

from tracking.domain.values import (
    check_artifact_name,
    check_file_name,
    check_project_key,
    check_run_key,
    check_step,
    clean_file_path,
    clean_folder,
    clean_map,
    clean_tags,
    clean_text,
)
from tracking.errors import InvalidInput

HOSTILE_NAMES = ["", "..", "a/b", "a\\b", "a b", "ü", "a\n", "\0", "x" * 251, None, 7, ["a"]]


@pytest.mark.parametrize("check", [check_project_key, check_run_key])
@pytest.mark.parametrize("name", [*HOSTILE_NAMES, ".", "a.b", "~"])
def test_hostile_key_is_refused(check, name):
    with pytest.raises(InvalidInput, match=r"Invalid (project|run) name"):
        check(name)


@pytest.mark.parametrize("name", ["a", "A-1_b", "x" * 250, "-", "metrics2"])
def test_plain_key_is_taken(name):
    assert check_run_key(name) == check_project_key(name) == name


@pytest.mark.parametrize("word", ["metrics", "stream", "runs"])
def test_route_word_is_no_run_name(word):
    assert check_project_key(word) == word
    with pytest.raises(InvalidInput, match="reserved word"):
        check_run_key(word)


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, ".", "..a", "../a", "a/../b"])
def test_hostile_artifact_name_is_refused(name):
    with pytest.raises(InvalidInput, match="Invalid artifact name"):
        check_artifact_name(name)


def test_plain_artifact_name_is_taken():
    assert [check_artifact_name(n) for n in ("m.pt", ".hidden", "a-b_c.1")] == [
        "m.pt", ".hidden", "a-b_c.1",
    ]  # fmt: skip


@pytest.mark.parametrize(("step", "taken"), [(0, 0), (-5, -5), (3.0, 3), (2**63 - 1, 2**63 - 1)])
def test_whole_step_is_taken(step, taken):
    assert check_step(step) == taken


@pytest.mark.parametrize("step", [1.5, "5", None, True, 2**63, math.nan, math.inf, [1]])
def test_other_step_is_refused(step):
    with pytest.raises(InvalidInput, match="step must"):
        check_step(step)


def test_map_keeps_json_and_names_what_json_cannot_write():
    given = {"a": [1, 2.5, None, True, {"b": math.nan}], "c": (-math.inf, math.inf)}

    assert clean_map(given, "config") == {
        "a": [1, 2.5, None, True, {"b": "NaN"}],
        "c": ["-Infinity", "Infinity"],
    }


def nested(depth: int) -> dict[str, object]:
    value: dict[str, object] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "value",
    ["text", [], None, {"a": "\0"}, {"\0": 1}, {1: 2}, {"a": b"x"}, {"a": "\ud800"}, nested(40)],
)
def test_map_that_no_database_holds_is_refused(value):
    with pytest.raises(InvalidInput, match="config"):
        clean_map(value, "config")


def test_tags_are_trimmed_and_taken_once():
    assert clean_tags([" a ", "b", "a"]) == ["a", "b"]


@pytest.mark.parametrize("tags", ["a", [""], [1], ["x" * 251], [str(n) for n in range(101)], None])
def test_bad_tags_are_refused(tags):
    with pytest.raises(InvalidInput, match="tags"):
        clean_tags(tags)


@pytest.mark.parametrize("text", [None, 1, "x" * 100_001, "\0", "\udfff"])
def test_bad_text_is_refused(text):
    with pytest.raises(InvalidInput, match="notes"):
        clean_text(text, "notes")


@pytest.mark.parametrize(
    "name", ["a b.txt", " lead", "ü\u202f“x”.png", "a\\b", "👨‍👩‍👧.png", "x" * 250]
)
def test_files_may_have_the_names_that_people_give_them(name):
    assert check_file_name(name) == name


@pytest.mark.parametrize(
    "name", ["", " ", ".", " .. ", "a/b", "x" * 251, "a\x1bb", "a\u2028", "\u202egnp.exe", 3]
)
def test_file_names_that_mislead_or_lead_elsewhere_are_refused(name):
    with pytest.raises(InvalidInput):
        check_file_name(name)


def test_path_of_a_file_is_kept_without_its_outer_slashes():
    assert [clean_file_path(path) for path in ("", "/", "/a/b c/", "a//b")] == [
        *("", "", "a/b c", "a/b"),
    ]


@pytest.mark.parametrize("path", ["..", "a/../b", "a/ .. /b", "a\0", "x/" * 501, None])
def test_paths_that_lead_elsewhere_are_refused(path):
    with pytest.raises(InvalidInput):
        clean_file_path(path)


def test_folder_with_dots_between_blanks_is_refused():
    with pytest.raises(InvalidInput, match=r"no '\.\.' in it"):
        clean_folder("a/ .. /b")
