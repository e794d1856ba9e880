"""What can be asked of charts' points beyond the plain columns."""

import math

import pytest

from tests.factories import NOON_US, log_points, make_run

pytestmark = pytest.mark.django_db
URL = "/api/projects/proj/runs/metrics"
NOON_MS = NOON_US // 1000


@pytest.fixture
def run():
    return make_run("r")


def ask(client, **query):
    """The answer's columns of the run `r`, by metric."""
    answer = client.get(URL, {"runs": "r"} | query)
    assert answer.status_code == 200, answer.content
    return {name: found["r"] for name, found in answer.json()["metrics"].items()}


def test_smoothed_column_stands_beside_the_values(client, run):
    log_points(run, {"loss": [4.0, math.nan, 0.0]})

    columns = ask(client, smooth=0.5)["loss"]

    assert columns == {
        "steps": [0, 1, 2],
        "values": [4.0, None, 0.0],
        "timestamps": [NOON_MS, NOON_MS + 1000, NOON_MS + 2000],
        "smoothed": [4.0, None, 1 / 0.75],
    }


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ({"smooth": "much"}, "smooth: A valid number is required."),
        ({"smooth": "nan"}, "smooth: A valid number is required."),
        ({"smooth": -0.1}, "smooth: Ensure this value is greater than or equal to 0."),
        ({"smooth": 1}, "smooth: Ensure this value is less than or equal to 0.999999."),
        ({"smooth": 0.5, "raw": 1}, "smooth: Raw points cannot be smoothed."),
    ],
)
def test_question_that_makes_no_sense_is_400_with_the_field_named(client, run, query, detail):
    answer = client.get(URL, {"runs": "r"} | query)

    assert (answer.status_code, answer.json()) == (400, {"detail": detail})
