"""Administrators invite people to the server, and take it back."""

from typing import Any

import pytest
from django.test import Client

from tests.people import make_person
from tracking.domain.registration import make_invitation
from tracking.models import Invitation, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(settings: Any) -> Client:
    settings.ACCESS, settings.REGISTRATION = "login", "closed"
    client = Client()
    client.force_login(make_person("alice"), "django.contrib.auth.backends.ModelBackend")
    return client


def page(response: Any) -> str:
    return str(response.content.decode())


def test_administrators_invite_people(signed_in: Client) -> None:
    assert signed_in.get("/invitations").status_code == 404
    assert signed_in.post("/invitations", {"email": ""}).status_code == 404
    User.objects.update(is_superuser=True)

    shown = page(signed_in.post("/invitations", {"email": "ada@example.org"}))

    link = shown.partition('<code id="link">http://testserver')[2].partition("<")[0]
    assert "Join Runyard" in page(Client().get(link))
    assert signed_in.post("/invitations", {"email": "x"}).status_code == 400


def test_administrators_withdraw_invitations(signed_in: Client) -> None:
    root = User.objects.create_superuser("root")
    link = f"/join/{make_invitation(root, email='ada@example.org')}"
    path = f"/invitations/{Invitation.objects.get().pk}/withdrawal"
    assert signed_in.post(path).status_code == 404
    User.objects.update(is_superuser=True)
    assert f'action="{path}"' in page(signed_in.get("/invitations"))

    answer = signed_in.post(path, follow=True)

    assert answer.redirect_chain == [("/invitations", 302)]
    assert "is withdrawn" in page(answer)
    assert "ada@example.org" not in page(answer)
    assert signed_in.post(path).status_code == 404
    gone = Client().get(link)
    assert gone.status_code == 404
    assert "was used, was withdrawn or has run out" in page(gone)
    assert 'href="/login"' in page(gone)
