import pytest

from tests.people import make_person
from tracking.domain.service_tokens import issue_watcher_token, revoke_watcher_tokens
from tracking.domain.tokens import find_token, usable_tokens
from tracking.errors import InvalidCredentials, NameTaken
from tracking.models import User

pytestmark = pytest.mark.django_db


def test_token_is_of_a_service_account_without_further_rights() -> None:
    token = find_token(issue_watcher_token())

    user = token.user
    rights = (user.username, user.is_service, user.is_superuser, user.is_staff)
    assert rights == ("watcher", True, False, False)
    assert (user.has_usable_password(), token.can_write, token.project) == (False, True, None)


def test_one_token_is_good_at_a_time() -> None:
    first = issue_watcher_token()
    second = issue_watcher_token()

    with pytest.raises(InvalidCredentials, match="revoked"):
        find_token(first)
    assert find_token(second).name == "serve --watch"
    assert User.objects.filter(username="watcher").count() == 1


def test_token_ends_with_its_server() -> None:
    secret = issue_watcher_token()

    revoke_watcher_tokens()

    with pytest.raises(InvalidCredentials, match="revoked"):
        find_token(secret)


def test_account_of_a_person_is_left_alone() -> None:
    person = make_person("Watcher")

    with pytest.raises(NameTaken, match="belongs to a person"):
        issue_watcher_token()
    revoke_watcher_tokens()

    assert not usable_tokens(person).exists()
