"""The columns of `ml-dash.metric-rows.v1`, to the letter: its client refuses all else."""

import pytest

from tests.factories import log_rows
from tracking.api.ml_dash.metric_rows import write_blocks
from tracking.api.ml_dash.streams import stream_id
from tracking.domain.rows import StoredRow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rows(url):
    return f"{url}/metrics/train/rows"


def test_page_has_the_format(call, experiment, rows):
    log_rows(experiment, {"loss": 0.5, "epoch": 1}, {"loss": 0.25, "epoch": 2})

    assert call("get", rows, who="vera") == (
        200,
        {
            "format": "ml-dash.metric-rows.v1",
            "visibility": "committed",
            "order": "storage",
            "metricId": stream_id(experiment, "train"),
            "blocks": [
                {
                    "columns": [
                        {"name": "loss", "type": "float64"},
                        {"name": "epoch", "type": "int64"},
                    ],
                    "rows": [[0.5, "1"], [0.25, "2"]],
                }
            ],
            "returned": 2,
            "hasMore": False,
            "nextCursor": None,
        },
    )


@pytest.mark.parametrize(
    ("value", "kind", "cell"),
    [
        (float("nan"), "float64", "NaN"),
        (float("inf"), "float64", "Infinity"),
        (float("-inf"), "float64", "-Infinity"),
        (-0.0, "float64", "-0"),
        (0.0, "float64", 0.0),
        (-(2**63), "int64", str(-(2**63))),
        (2**64 - 1, "uint64", str(2**64 - 1)),
        (True, "bool", True),
        ("NaN", "utf8", "NaN"),
        (None, "utf8", None),
        ([1, float("nan")], "utf8", "[1, NaN]"),
        ({"a": {"b": 1}}, "utf8", '{"a": {"b": 1}}'),
    ],
)
def test_cells_fit_their_types(value, kind, cell):
    [block] = write_blocks([StoredRow(0, 0, {"x": value})])

    assert block == {"columns": [{"name": "x", "type": kind}], "rows": [[cell]]}


def test_other_columns_are_another_block(call, experiment, rows):
    log_rows(experiment, {"a": 1}, {"a": 1.5}, {"a": 2.5}, {"b": 1, "a": 3.5}, {})

    blocks = call("get", rows)[1]["blocks"]

    assert [block["rows"] for block in blocks] == [[["1"]], [[1.5], [2.5]], [["1", 3.5]], [[]]]


def test_cursor_leads_through_all_rows(call, experiment, rows):
    log_rows(experiment, *({"n": n} for n in range(5)))
    found, cursor = [], ""

    while cursor is not None:
        page = call("get", f"{rows}?limit=2" + (f"&cursor={cursor}" if cursor else ""))[1]
        found += [row for block in page["blocks"] for row in block["rows"]]
        assert page["returned"] == sum(len(block["rows"]) for block in page["blocks"])
        cursor = page["nextCursor"]

    assert found == [[str(n)] for n in range(5)]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("cursor=x", "invalid_cursor"),
        ("cursor=-1", "invalid_cursor"),
        (f"cursor={10**30}", "invalid_cursor"),
        ("limit=0", "invalid_request"),
        ("limit=10001", "invalid_request"),
    ],
)
def test_wrong_questions_have_a_code(call, experiment, rows, query, code):
    log_rows(experiment, {"a": 1})

    answer = call("get", f"{rows}?{query}")

    assert (answer[0], answer[1]["code"]) == (400, code)
    assert answer[1]["message"]


def test_unknown_metric_has_a_code(call, rows):
    status, answer = call("get", rows)

    assert (status, answer["code"], answer["message"]) == (
        404, "metric_not_found", "Metric 'train' not found",
    )  # fmt: skip
