import pytest

from tracking.consumers.wanted import parse_wanted
from tracking.errors import InvalidInput

PATH = {"project": "proj"}
NO_TIME = "since must be a UNIX time in milliseconds."


def test_keys_are_read_without_blanks_and_repeats():
    wanted = parse_wanted(PATH, b"runs=a,%20b%20,,a&runs=c")

    assert (wanted.keys, wanted.is_single, wanted.since_us) == ({"a", "b", "c"}, False, None)


def test_run_of_the_path_is_the_only_one():
    wanted = parse_wanted(PATH | {"run": "a"}, b"runs=b&since=-5")

    assert (wanted.keys, wanted.is_single, wanted.since_us) == ({"a"}, True, -5000)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (b"since=", NO_TIME),
        (b"since=1e30", NO_TIME),
        (b"since=--5", NO_TIME),
        (b"since=%D9%A3", NO_TIME),  # the digit three of Arabic
        (b"since=1%0A", NO_TIME),
        (b"since=9999999999999999", NO_TIME),
        (b"runs=a%00b", "A name has a NUL character in it."),
        (b"runs=%FF", "The address is not valid UTF-8."),
        (b"&".join([b"x=1"] * 10_001), "The address has too many fields."),
        (b"runs=", "No runs specified"),
    ],
)
def test_bad_query_is_refused_with_a_reason(query, reason):
    if not query.startswith(b"runs"):
        query = b"runs=a&" + query

    with pytest.raises(InvalidInput) as error:
        parse_wanted(PATH, query)

    assert str(error.value) == reason
