"""What a wrong query text is told, and which word it is told about."""

import pytest

from tracking.domain.query import QueryError, filter_runs
from tracking.models import Run


@pytest.mark.parametrize(
    ("text", "word", "message"),
    [
        ("loss => 1", "=>", "There is no operator '=>': write '>='."),
        ("loss == 1", "==", "There is no operator '==': write '='."),
        ("loss <> 1", "<>", "There is no operator '<>': write '!='."),
        ("!loss", "!", "There is no operator '!': write 'not'."),
        ("loss <", "<", "Expected a value after '<'."),
        ("loss < and acc > 1", "<", "Expected a value after '<'."),
        ("loss < )", ")", "There is no '(' for this ')'."),
        ("a and", "and", "Expected a condition after 'and'."),
        ("a or or b", "or", "Expected a condition after 'or'."),
        ("(a OR)", "OR", "Expected a condition after 'OR'."),
        ("not", "not", "Expected a condition after 'not'."),
        ("and a", "and", "Expected a condition before 'and'."),
        ("< 1", "<", "Expected a field before '<'."),
        ("a = 1 < 2", "<", "Expected a field before '<'."),
        ("(a", "(", "There is no ')' for this '('."),
        ("(a or (b c)", "(", "There is no ')' for this '('."),
        ("a)", ")", "There is no '(' for this ')'."),
        ("()", "(", "Expected a condition or a value after '('."),
        ('name = "abc', '"', 'There is no closing " for this one.'),
        ("name = 'abc", "'", "There is no closing ' for this one."),
        ("a && b", "&&", "Write 'and' for '&&'."),
        ("a, b", ",", "',' cannot stand here. A text goes into quotes."),
        (
            "status in",
            "in",
            "Expected '(' and values after 'in'; to look for the word, write \"in\".",
        ),
        (
            "status in failed",
            "in",
            "Expected '(' and values after 'in'; to look for the word, write \"in\".",
        ),
        ("status in ()", "(", "Expected a condition or a value after '('."),
        ("status in (failed,)", ",", "Expected a value after ','."),
        (
            "loss is 1",
            "is",
            "Expected 'null' or 'not null' after 'is'; to look for the word, write \"is\".",
        ),
        ("loss < null", "null", "Nothing compares with null: write 'is null'."),
        ("null", "null", "'null' cannot stand here. A text goes into quotes."),
        ("config = 1", "config", "'config' needs a key: 'config.lr', say."),
        ("config. = 1", "config.", "No key of a config can be called ''."),
        (r'config."a\"b" = 1', r'config."a\"b"', "No key of a config can be called 'a\"b'."),
        ('a"b" = 1', 'a"b"', "There is no field 'a\"b\"': put the whole name in quotes."),
        ('name = a"b"', 'a"b"', "Put a space beside the quotes, or all of it into them."),
        ("loss < abc", "abc", "'loss' is a number, 'abc' is none."),
        ('loss < "1"', '"1"', "'loss' is a number, '1' is none."),
        ("loss < 1e999", "1e999", "'loss' is a number, '1e999' is none."),
        (
            "statuss = failed",
            "failed",
            "'statuss' is a number, 'failed' is none. Did you mean 'status'?",
        ),
        ("loss ~ 1", "~", "'~' does not go with 'loss': it takes = != < <= > >=."),
        ("loss !~ 1", "!~", "'!~' does not go with 'loss': it takes = != < <= > >=."),
        ("tag < x", "<", "'<' does not go with 'tags': it takes = != ~ !~."),
        ("status > failed", ">", "'>' does not go with 'status': it takes = != ~ !~."),
        (
            "status = done",
            "done",
            "No run is 'done'. A run is running, completed, failed, cancelled, stale.",
        ),
        ("config.x < true", "<", "'<' does not go with 'config.x': it takes = !=."),
        ("archived = 1", "1", "'archived' is true or false, not '1'."),
        (
            "duration > 1x",
            "1x",
            "'1x' is no duration: write 90s, 30m, 2h, 1h30m or 7d.",
        ),
        (
            "started > soon",
            "soon",
            "'soon' is no time: write 2026-01-31, 2026-01-31T12:00, or an age: 2d.",
        ),
        (
            "started > 2026-02-31",
            "2026-02-31",
            "'2026-02-31' is no time: write 2026-01-31, 2026-01-31T12:00, or an age: 2d.",
        ),
        ("started = 2d", "2d", "An age goes with < or >, a day with =."),
        ("a \0", "\0", "There is a character here that no text has."),
        ("a = \ud800", "\ud800", "There is a character here that no text has."),
    ],
)
def test_a_wrong_query_is_told_what_and_where(text: str, word: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        filter_runs(Run.objects.all(), text)

    assert (str(caught.value), text[caught.value.start : caught.value.end]) == (message, word)


@pytest.mark.parametrize(
    ("text", "is_allowed"),
    [
        ("a" * 2_000, True),
        ("a" * 2_001, False),
        (" ".join(["a"] * 50), True),
        (" ".join(["a"] * 51), False),
        (" ".join(["x=1"] * 50), True),
        (" ".join(["x=1"] * 51), False),
        (" ".join(["a=null"] * 51), False),
        (f"config.x in ({','.join('1' * 50)})", True),
        (f"config.x in ({','.join('1' * 51)})", False),
        ("(" * 32 + "a" + ")" * 32, True),
        ("(" * 33 + "a" + ")" * 33, False),
        ("not " * 400 + "a", True),
        ("not (" * 32 + "a" + ")" * 32, True),
    ],
)
@pytest.mark.django_db
def test_a_query_has_a_size(text: str, is_allowed: bool) -> None:
    if is_allowed:
        assert list(filter_runs(Run.objects.all(), text)) == []
    else:
        with pytest.raises(QueryError):
            filter_runs(Run.objects.all(), text)
