"""Who may do what, by route: the one table that tests/test_permissions.py holds the server to.

public      everybody, also who is nobody          nothing   whoever comes: there is nothing here
signed-in   everybody who is known                 person    the same, but no program's token
read        who may see the project                write     its editors and owners
manage      its owners                             staff     administrators
member      whom the project lists as such
own         who it belongs to                      secret    who has the secret of the link
create      whose token is not narrowed            closed    nobody, unless the server is open
list        as signed-in; what is listed is what one may read
account …   the same in login mode; in open mode there are no accounts: it leads to the projects
token …     the same, but a session is no token: the AI Manager API asks for one in both modes

A route that is not here, or a method that is not and does something, fails.
"""

ADMIN = "/admin/"  # all below it is `staff`, unless it is named here
ALIASES = {"/api/v1/": "/tracker/api/v1/"}  # the same URL map, included twice

API = "/api/projects/<project>"
API_RUN = f"{API}/runs/<run>"
TRACKER = "/tracker/api/v1"
TRACKER_RUN = f"{TRACKER}/projects/<project>/runs/<run>"
PAGE = "/projects/<project_key>"
RUN_BY_ID = "/runs/<run_id>"
METRICS_BY_ID = "/metrics/<run_id>"
RUN_PAGE = f"{PAGE}/runs/<run_key>"
FILE_PAGE = f"{RUN_PAGE}/artifacts/<artifact_id>"
DASH = "/api/experiments/<experiment>"
DASH_FILES = f"{DASH}/files"
DASH_METRIC = f"{DASH}/metrics/<metric>"
DASH_TRACK = f"{DASH}/tracks/<topic>"

RULES: dict[str, dict[str, str]] = {
    # The dashboard API
    "/api/edits": {"GET": "list"},
    "/api/projects": {"GET": "list"},
    API: {"DELETE": "manage"},
    f"{API}/metadata": {"GET": "read", "PUT": "write"},
    f"{API}/runs": {"GET": "read"},
    f"{API}/runs/metrics": {"GET": "read"},
    API_RUN: {"GET": "read", "DELETE": "write"},
    f"{API_RUN}/metrics": {"GET": "read"},
    f"{API_RUN}/params": {"GET": "read"},
    f"{API_RUN}/producers": {"GET": "read"},
    f"{API_RUN}/metadata": {"GET": "read", "PUT": "write"},
    f"{API_RUN}/artifacts/download": {"GET": "read"},
    # The tracker API
    "/health": {"GET": "public"},
    f"{TRACKER}/health": {"GET": "public"},
    "/ready": {"GET": "public"},
    "/metrics": {"GET": "staff"},
    f"{TRACKER}/projects/<project>/runs": {"POST": "write"},
    f"{TRACKER_RUN}/metrics": {"POST": "write"},
    f"{TRACKER_RUN}/artifacts": {"POST": "write"},
    f"{TRACKER_RUN}/config": {"POST": "write"},
    f"{TRACKER_RUN}/summary": {"POST": "write"},
    f"{TRACKER_RUN}/tags": {"POST": "write"},
    f"{TRACKER_RUN}/finish": {"POST": "write"},
    "/<var>": {},  # paths of an API that do not exist
    # Documentation
    "/docs": {"GET": "person"},
    "/docs/dashboard": {"GET": "person"},
    "/docs/dashboard/schema": {"GET": "signed-in"},
    "/docs/manager": {"GET": "person"},
    "/docs/manager/schema": {"GET": "signed-in"},
    "/docs/ml-dash": {"GET": "person"},
    "/docs/ml-dash/schema": {"GET": "signed-in"},
    "/tracker/openapi.json": {"GET": "signed-in"},
    "/tracker/docs/tracker": {"GET": "person"},
    "/tracker/docs/tracker/redoc": {"GET": "person"},
    # The AI Manager API; `GET /projects` with an Accept that names HTML is the page, see TWINS
    "/auth/register": {"POST": "closed"},
    "/auth/login": {"POST": "public"},
    "/auth/me": {"GET": "token signed-in"},
    "/projects": {"GET": "token list", "POST": "token create"},
    "/projects/<project_id>": {
        "GET": "token read",
        "PUT": "token write",
        "DELETE": "token manage",
    },
    "/runs": {"GET": "token list", "POST": "token write"},
    RUN_BY_ID: {"GET": "token read", "PUT": "token write", "DELETE": "token write"},
    f"{RUN_BY_ID}/artifacts": {"GET": "token read", "POST": "token write"},
    "/artifacts/<run_id>/artifacts": {"GET": "token read", "POST": "token write"},
    "/artifacts/artifacts/<artifact_id>": {"GET": "token read", "DELETE": "token write"},
    METRICS_BY_ID: {"GET": "token read", "POST": "token write"},
    f"{METRICS_BY_ID}/batch": {"POST": "token write"},
    f"{METRICS_BY_ID}/summary": {"GET": "token read"},
    f"{METRICS_BY_ID}/history/<metric_name>": {"GET": "token read"},
    # ML-Dash's wire; who names a project that is not there, makes it
    "/api/namespaces/<namespace>/nodes": {"POST": "create"},
    "/api/nodes/<node>": {"GET": "read", "PATCH": "write", "DELETE": "write"},
    "/api/projects/<numbered_project>": {"DELETE": "manage"},
    f"{API}/experiments": {"POST": "create"},
    DASH: {"GET": "read"},
    f"{DASH}/status": {"PATCH": "write"},
    f"{DASH}/parameters": {"GET": "read", "POST": "write"},
    f"{DASH}/logs": {"GET": "read", "POST": "write"},
    f"{DASH}/metrics": {"GET": "read"},
    DASH_METRIC: {"POST": "write"},
    f"{DASH_METRIC}/append": {"POST": "write"},
    f"{DASH_METRIC}/append-batch": {"POST": "write"},
    f"{DASH_METRIC}/data": {"GET": "read"},
    f"{DASH_METRIC}/stats": {"GET": "read"},
    f"{DASH_METRIC}/rows": {"GET": "read"},
    f"{DASH_METRIC}/chunks/<chunk>": {},  # so few rows are no chunk yet
    f"{DASH}/tracks": {"GET": "read", "POST": "write"},
    f"{DASH_TRACK}/append": {"POST": "write"},
    f"{DASH_TRACK}/append_batch": {"POST": "write"},
    f"{DASH_TRACK}/data": {"GET": "read"},
    "/graphql": {"POST": "signed-in"},  # what it tells of: tests/tracking/api/ml_dash/test_graph.py
    DASH_FILES: {"GET": "read", "POST": "write"},
    f"{DASH_FILES}/<file>": {"GET": "read", "PATCH": "write", "DELETE": "write"},
    f"{DASH_FILES}/<file>/download": {"GET": "read"},
    "/api/nodes/<node>/download": {"GET": "read"},
    "/api/search/files": {"GET": "list"},
    # Accounts
    "/login": {"GET": "public", "POST": "public"},
    "/logout": {"POST": "person"},
    "/setup/<secret>": {"GET": "secret", "POST": "secret"},
    "/register": {"GET": "closed", "POST": "closed"},
    "/join/<secret>": {"GET": "secret", "POST": "secret"},
    "/profile": {"GET": "account person", "POST": "account person"},
    "/profile/password": {"GET": "account person", "POST": "account person"},
    "/profile/tokens": {"GET": "person", "POST": "person"},
    "/profile/tokens/<token_id>/revocation": {"GET": "own", "POST": "own"},
    "/invitations": {"GET": "account staff", "POST": "account staff"},
    "/invitations/<server_invitation_id>/withdrawal": {"POST": "account staff"},
    # Pages
    "/": {"GET": "list"},
    "/favicon.ico": {"GET": "public"},
    PAGE: {"GET": "read"},
    f"{PAGE}/metrics": {"GET": "read"},
    f"{PAGE}/fields": {"GET": "read"},
    f"{PAGE}/about": {"GET": "read"},
    f"{PAGE}/<field>": {"GET": "read", "POST": "write"},
    f"{PAGE}/members": {"GET": "read", "POST": "manage"},
    f"{PAGE}/members/suggestions": {"GET": "manage"},
    f"{PAGE}/members/<user_id>": {"POST": "manage"},
    f"{PAGE}/members/<user_id>/removal": {"GET": "manage", "POST": "manage"},
    f"{PAGE}/departure": {"GET": "read", "POST": "member"},
    f"{PAGE}/ownership": {"GET": "manage", "POST": "manage"},
    f"{PAGE}/visibility": {"POST": "manage"},
    f"{PAGE}/invitations": {"POST": "account manage"},
    f"{PAGE}/invitations/<invitation_id>/withdrawal": {"POST": "manage"},
    f"{PAGE}/runs": {"GET": "read"},
    f"{PAGE}/compare": {"GET": "read"},
    f"{PAGE}/columns": {"GET": "read"},
    f"{PAGE}/storage": {"GET": "read", "POST": "manage"},
    f"{PAGE}/storage/quota": {"GET": "staff", "POST": "staff"},
    f"{PAGE}/deletion": {"GET": "manage", "POST": "manage"},
    f"{PAGE}/trash": {"GET": "write"},
    f"{PAGE}/trash/restoration": {"POST": "write"},
    f"{PAGE}/trash/emptying": {"GET": "write", "POST": "write"},
    "/trash": {"GET": "signed-in"},
    "/trash/<project_id>/restoration": {},  # of what is in the trash: tests/dashboard/test_trash.py
    "/trash/<project_id>/deletion": {},
    f"{PAGE}/runs/actions": {"POST": "write"},  # GET: the page of a run of that name
    f"{PAGE}/views": {"POST": "write"},
    f"{PAGE}/views/<view_id>": {"GET": "read"},
    f"{PAGE}/views/<view_id>/deletion": {"GET": "write", "POST": "write"},
    RUN_PAGE: {"GET": "read"},
    f"{RUN_PAGE}/<field>": {"GET": "read", "POST": "write"},
    f"{RUN_PAGE}/config": {"GET": "read"},
    f"{RUN_PAGE}/metrics": {"GET": "read"},
    f"{RUN_PAGE}/logs": {"GET": "read"},
    f"{RUN_PAGE}/rows": {"GET": "read"},
    f"{RUN_PAGE}/deletion": {"GET": "write", "POST": "write"},
    f"{RUN_PAGE}/artifacts": {"GET": "read"},
    FILE_PAGE: {"GET": "read"},
    f"{FILE_PAGE}/content": {"GET": "read"},
    f"{FILE_PAGE}/preview": {"GET": "read"},
    # The admin
    "/admin": {"GET": "person"},
    "/admin/login": {},  # leads to the one login there is
    "/admin/logout": {},
    "/admin/password_change": {"GET": "person"},  # leads to the one page for it
    "/admin/<url>": {},
    # Consumers
    "/ingest/v1/batch": {"POST": "write"},
    f"{API}/runs/stream": {"GET": "read"},
    f"{API_RUN}/stream": {"GET": "read"},
    "/ws/<run_id>": {"GET": "read"},
}

# The same address in another form: (path, headers).
TWINS: list[tuple[str, dict[str, str]]] = [
    (f"{PAGE}/runs?format=csv", {}),
    (f"{PAGE}/runs?format=json", {}),
    (f"{PAGE}/compare?format=csv&run=run-1", {}),
    (f"{PAGE}/compare?format=json&run=run-1", {}),
    (f"{RUN_PAGE}/metrics?format=csv", {}),
    (f"{RUN_PAGE}/metrics?format=json", {}),
    (f"{RUN_PAGE}/logs?format=text", {}),
    (f"{RUN_PAGE}/rows?format=csv", {}),
    (f"{RUN_PAGE}/rows?format=jsonl", {}),
    (f"{RUN_PAGE}/notes?edit=1", {}),
    (RUN_PAGE, {"Accept": "application/json"}),
    (RUN_PAGE, {"Accept": "text/html"}),
    (PAGE, {"HX-Request": "true", "HX-Target": "run-list"}),
    (f"{PAGE}/runs", {"HX-Request": "true", "HX-Target": "run-table"}),
    (f"{API}/runs/metrics?runs=run-1&format=msgpack", {}),
]
TWIN_RULES = {f"{RUN_PAGE}/notes?edit=1": "write"}  # all others: read

# Query strings and bodies without which a call would end before anybody is asked for permission.
QUERIES = {
    f"GET {API}/runs/metrics": "runs=run-1",
    f"GET {PAGE}/compare": "run=run-1",
    "POST /runs": "project_id=<project_id>",
    "GET /api/search/files": "pattern=*.txt",
}
JSON = "application/json"
BODIES: dict[str, dict[str, object]] = {
    f"{TRACKER}/projects/<project>/runs": {"name": "another"},
    f"{TRACKER_RUN}/metrics": {"metrics": {"loss": 1.0}},
    f"{TRACKER_RUN}/config": {"config": {"a": 1}},
    f"{TRACKER_RUN}/summary": {"summary": {"a": 1}},
    f"{TRACKER_RUN}/tags": {"tags": ["a"]},
    f"{TRACKER_RUN}/finish": {},
    f"{API}/metadata": {"notes": "changed"},
    f"{API_RUN}/metadata": {"notes": "changed"},
    "/auth/login": {},
    "/auth/register": {"username": "dora", "email": "dora@example.org", "password": "long-enough"},
    "/projects": {"name": "another"},
    "/projects/<project_id>": {"description": "changed"},
    "/runs": {"name": "another"},
    RUN_BY_ID: {"status": "completed"},
    METRICS_BY_ID: {"name": "loss", "value": 1.0},
    f"{METRICS_BY_ID}/batch": {"metrics": [{"name": "loss", "value": 1.0}]},
    "/api/namespaces/<namespace>/nodes": {"type": "PROJECT", "name": "another"},
    "/api/nodes/<node>": {"description": "changed"},
    f"{API}/experiments": {"name": "another"},
    f"{DASH}/status": {"status": "COMPLETED"},
    f"{DASH}/parameters": {"data": {"a": 1}},
    f"{DASH}/logs": {"logs": [{"message": "hi"}]},
    f"{DASH_METRIC}/append": {"data": {"loss": 1.0}},
    DASH_METRIC: {"dataPoints": [{"loss": 1.0}]},
    f"{DASH_METRIC}/append-batch": {"dataPoints": [{"loss": 1.0}]},
    f"{DASH}/tracks": {"topic": "pose"},
    f"{DASH_TRACK}/append": {"timestamp": 1, "data": {}},
    f"{DASH_TRACK}/append_batch": {"entries": [{"timestamp": 1}]},
    "/graphql": {"query": "{ me { username } }"},
}
FORMS: dict[str, dict[str, object]] = {
    f"{PAGE}/runs/actions": {"action": "archive", "run": "run-1"},
    f"{PAGE}/views": {"name": "mine", "page": "runs", "query": ""},
    f"{PAGE}/<field>": {"text": "changed"},
    f"{RUN_PAGE}/<field>": {"text": "changed"},
    f"{PAGE}/members": {"username": "stranger", "role": "viewer"},
    f"{PAGE}/members/<user_id>": {"role": "editor"},
}
