from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.factories import make_run
from tests.people import make_person, share
from tracking.domain.access import local_user
from tracking.domain.tokens import create_token
from tracking.models import Project, User

pytestmark = pytest.mark.django_db
METRICS = "/api/projects/proj/runs/metrics?runs=run-1"


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://testserver.evil.example", "http://["]
)
def test_changes_that_another_sites_page_asks_for_are_refused(client, origin):
    answer = client.post("/tracker/api/v1/projects/p/runs", headers={"Origin": origin})

    assert answer.status_code == 403
    assert answer.json() == {"detail": "Requests from another site's pages are refused."}


def test_own_origin_and_none_are_let_in(client):
    for headers in ({"Origin": "http://testserver"}, {}):
        assert client.post("/tracker/api/v1/projects/p/runs", headers=headers).status_code == 415


@pytest.mark.parametrize("host", ["rebound.example", "", "[x"])
def test_foreign_host_is_refused_with_the_reason(client, host):
    answer = client.get("/health", headers={"Host": host})

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("This server does not answer to that Host.")


def test_unknown_path_of_an_api_is_answered_in_its_language(client):
    for path in ("/api/v1/nope", "/tracker/nope/"):
        answer = client.post(path)
        assert (answer.status_code, answer.json()) == (
            404,
            {"detail": f"There is nothing at {path}."},
        )


def test_everybody_is_the_local_user(client):
    answer = client.get("/admin/")

    assert answer.status_code == 200
    assert answer.wsgi_request.user == local_user()
    assert local_user().is_superuser


def test_only_browsable_pages_may_style_inline(client):
    make_run()
    page, data = (client.get(METRICS, headers={"Accept": kind}) for kind in ("text/html", "*/*"))

    assert page["Content-Type"] == "text/html; charset=utf-8"
    assert "style-src 'self' 'unsafe-inline'" in page["Content-Security-Policy"]
    assert "unsafe-inline" not in data["Content-Security-Policy"]


@pytest.fixture
def _login_mode(settings):
    settings.ACCESS = "login"


@pytest.mark.usefixtures("_login_mode")
@pytest.mark.parametrize(
    ("method", "path", "headers", "next_page"),
    [
        ("get", "/projects/p?a=1&b=2", {}, "/projects/p?a=1&b=2"),
        ("get", "/", {"Accept": "text/html,*/*"}, "/"),
        ("post", "/projects/p/views", {}, "/"),
        (
            "post",
            "/projects/p/views",
            {"Referer": "http://testserver/projects/p/runs?q=x"},
            "/projects/p/runs?q=x",
        ),
    ],
)
def test_nobody_is_led_from_a_page_to_the_login(client, method, path, headers, next_page):
    answer = getattr(client, method)(path, headers=headers)

    assert answer.status_code == 302
    assert answer["Location"] == f"/login?{urlencode({'next': next_page})}" + "&ended=1" * (
        method == "post"
    )


@pytest.mark.usefixtures("_login_mode")
def test_expired_login_of_a_fragment_leads_the_whole_page_to_the_login(client):
    here = "http://testserver/projects/p/runs?q=loss%20%3C%201"

    answer = client.get("/projects/p/runs", headers={"HX-Request": "true", "HX-Current-URL": here})

    assert (answer.status_code, answer.content) == (401, b"")
    assert answer["HX-Redirect"] == (
        f"/login?{urlencode({'next': '/projects/p/runs?q=loss%20%3C%201', 'ended': 1})}"
    )


@pytest.mark.usefixtures("_login_mode")
@pytest.mark.parametrize("address", ["http://evil.example//evil.example/x", "//evil.example/"])
def test_way_back_stays_on_this_host(client, address):
    answer = client.post("/projects/p/views", headers={"Referer": address})

    back = parse_qs(urlsplit(answer["Location"]).query)["next"][0]
    assert back.startswith("/")
    assert not back.startswith("//")


@pytest.mark.usefixtures("_login_mode")
def test_way_back_that_is_no_address_is_the_first_page(client):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://[x"}

    answer = client.get("/projects/p", headers=headers)

    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/login?next=%2F&ended=1")


@pytest.mark.usefixtures("_login_mode")
@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/csv"])
def test_program_is_told_that_it_is_nobody(client, accept):
    answer = client.get("/projects/p/runs?format=csv", headers={"Accept": accept})

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json() == {"detail": "Sign in, or send a token: Authorization: Bearer …"}


@pytest.mark.parametrize("mode", ["open", "login"])
def test_wrong_token_opens_no_page(client, settings, mode):
    settings.ACCESS = mode

    answer = client.get("/", headers={"Authorization": "Bearer ry_wrong"})

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json() == {"detail": "This token is unknown, expired or revoked."}


@pytest.mark.parametrize("mode", ["open", "login"])
def test_token_reads_the_pages_of_projects_and_no_others(client, settings, mode):
    settings.ACCESS = mode
    alice = make_person("alice")
    make_run()
    Project.objects.update(owner=alice)
    secret = create_token(alice, name="job", can_write=True)[1]
    headers = {"Authorization": f"Bearer {secret}"}

    assert client.get("/projects/proj/runs?format=csv", headers=headers).status_code == 200
    for path in ("/", "/profile", "/admin/"):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.json()) == (
            403,
            {"detail": "A token does not open this: sign in."},
        )
    assert client.post("/projects/proj/visibility", headers=headers).status_code == 403


def test_disabled_account_is_out_with_its_next_request(client, settings):
    settings.ACCESS = "login"
    alice = make_person("alice")
    client.force_login(alice)
    assert client.get("/").status_code == 200

    User.objects.update(is_active=False)

    assert client.get("/")["Location"] == "/login?next=%2F&ended=1"
    assert client.get("/api/projects/p/runs").status_code == 401


def test_session_of_an_account_for_programs_is_over(client, settings):
    settings.ACCESS = "login"
    client.force_login(make_person("alice"))

    User.objects.update(is_service=True)

    assert client.get("/")["Location"] == "/login?next=%2F&ended=1"


@pytest.mark.parametrize(("scheme", "is_secure"), [("https", True), ("http", False)])
def test_cookies_of_a_secure_answer_are_secure(client, settings, scheme, is_secure):
    settings.ACCESS = "login"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    client.force_login(make_person("alice"))

    answer = client.get("/profile/password", headers={"X-Forwarded-Proto": scheme})

    assert bool(answer.cookies["csrftoken"]["secure"]) is is_secure
    assert ("Strict-Transport-Security" in answer) is is_secure


def test_claims_of_a_proxy_count_for_nothing_without_one(client, settings):
    settings.ACCESS = "login"

    answer = client.get("/login", headers={"X-Forwarded-Proto": "https"})

    assert not answer.cookies["csrftoken"]["secure"]
    assert "Strict-Transport-Security" not in answer


def test_page_costs_the_same_queries_for_a_session_however_many_projects(
    client, settings, count_queries
):
    settings.ACCESS = "login"
    alice = make_person("alice")
    client.force_login(alice)
    counts = []
    for number in range(3):
        make_run(project=f"p{number}")
        Project.objects.update(owner=alice)
        counts.append((count_queries("/"), count_queries("/projects/p0/runs")))

    assert counts == [counts[0]] * 3


def test_permission_costs_a_page_nothing_in_open_mode(client, settings, count_queries):
    make_run()
    local_user()
    in_open_mode = count_queries("/projects/proj/about")
    settings.ACCESS = "login"
    editor = make_person("bob")
    share(Project.objects.get(), editor)
    client.force_login(editor)

    # The session, its user, and the role: for what the page lets him do.
    assert count_queries("/projects/proj/about") == in_open_mode + 3
