"""What has arrived of a run, by the processes that logged to it."""

from uuid import UUID

import pytest

from tests.factories import make_run

pytestmark = pytest.mark.django_db
LIST = "/api/projects/proj/runs/run-1/producers"
FIRST, SECOND = UUID(int=1), UUID(int=2)
GAP = {"first_seq": 3, "last_seq": 4, "count": 2, "reason": "the disk was full"}


def test_producers_say_how_far_they_came(client):
    run = make_run()
    run.producers.create(uuid=SECOND, last_seq=7, logged_seq=9, gaps=[GAP])
    run.producers.create(uuid=FIRST, last_seq=1, logged_seq=1)

    answer = client.get(LIST)

    assert answer.json() == [
        {"uuid": str(SECOND), "last_seq": 7, "logged_seq": 9, "gaps": [GAP]},
        {"uuid": str(FIRST), "last_seq": 1, "logged_seq": 1, "gaps": []},
    ]
    assert answer["X-Total-Count"] == "2"


def test_producers_come_in_pieces(client):
    run = make_run()
    for number in range(3):
        run.producers.create(uuid=UUID(int=number + 1), last_seq=number)

    answer = client.get(LIST, {"limit": 1, "offset": 1})

    assert [one["last_seq"] for one in answer.json()] == [1]
    assert 'rel="next"' in answer["Link"]


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow_with_producers(client, django_assert_num_queries, count):
    run = make_run()
    for number in range(count):
        run.producers.create(uuid=UUID(int=number + 1))
    client.get(LIST)

    with django_assert_num_queries(4):
        client.get(LIST)


def test_run_of_plain_http_has_none_and_others_are_not_there(client):
    make_run()

    assert client.get(LIST).json() == []
    assert client.get(LIST.replace("run-1", "nope")).status_code == 404
