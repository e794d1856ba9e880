import pytest

from tracking.domain.copying.rows import _normal
from tracking.domain.copying.stores import tables


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}),
        (100000.0, 100000),  # PostgreSQL writes 1e5 so
        (-0.0, 0),
        (1e300, 10**300),
        (10**400, 10**400),
    ],
)
def test_same_documents_are_the_same_however_a_database_writes_them(
    here: object, there: object
) -> None:
    assert _normal(here) == _normal(there)


@pytest.mark.parametrize(("here", "there"), [(1, 2), (0.1, 0.2), (True, 1), ("1", 1), (None, 0)])
def test_other_documents_are_others(here: object, there: object) -> None:
    assert (type(_normal(here)), _normal(here)) != (type(_normal(there)), _normal(there))


def test_tables_come_after_those_they_point_to() -> None:
    names = [table.name for table in tables()]

    assert names.index("tracking_project") < names.index("tracking_run")
    assert names.index("tracking_metric") < names.index("tracking_metricpoint")
    assert "django_session" not in names
    assert "tracking_user_groups" in names
