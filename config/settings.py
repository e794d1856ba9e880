"""Runyard's settings. Zero-config by default: SQLite and files under ./var, open on loopback.

Every environment variable is read in this file and nowhere else; docs/configuration.md lists them.
"""

from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.crypto import salted_hmac

from config.backends import find_caches, find_database, find_redis
from config.bucket import find_storage
from config.env import (
    NAMES,
    env_bool,
    env_choice,
    env_int,
    env_key,
    env_list,
    env_path,
    env_secret,
    env_str,
    require_package,
)
from config.logging import LEVELS, find_logging

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

# ── Where things live ────────────────────────────────────────────────────────
DATA_DIR = env_path("RUNYARD_DATA_DIR", BASE_DIR / "var")
SECRET_KEY = env_key("RUNYARD_SECRET_KEY", DATA_DIR / "secret_key")
DEBUG = env_bool("RUNYARD_DEBUG", default=False)

# ── Who may come in ──────────────────────────────────────────────────────────
ACCESS = env_choice("RUNYARD_ACCESS", "open", {"open", "login"})
# Who may make an account: anybody, who was invited, or whom the administrators let in.
REGISTRATION = env_choice(
    "RUNYARD_REGISTRATION",
    "open" if ACCESS == "open" else "closed",
    {"open", "invited", "closed"},
)
ALLOW_OPEN = env_bool("RUNYARD_ALLOW_OPEN", default=False)  # open mode beyond loopback
LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = LOOPBACK_HOSTS + env_list("RUNYARD_ALLOWED_HOSTS")
# How many proxies stand before the server. Without one, X-Forwarded-* is what anybody may claim.
TRUSTED_PROXIES = env_int("RUNYARD_TRUST_PROXY", 0)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None

# ── Limits: over one of them is a 4xx with a reason, never a 5xx ─────────────
MAX_BODY_BYTES = env_int("RUNYARD_MAX_BODY_BYTES", 16 * 1024**2, minimum=1024)
MAX_INFLATED_BYTES = env_int("RUNYARD_MAX_INFLATED_BYTES", 64 * 1024**2, minimum=1024)
MAX_ARTIFACT_BYTES = env_int("RUNYARD_MAX_ARTIFACT_BYTES", 10 * 1024**3, minimum=1024)
MAX_METRICS_PER_RUN = env_int("RUNYARD_MAX_METRICS_PER_RUN", 10_000, minimum=1)
MAX_WAITING_BATCHES = env_int("RUNYARD_MAX_WAITING_BATCHES", 512, minimum=1)
MAX_RUNS_PER_REQUEST = env_int("RUNYARD_MAX_RUNS_PER_REQUEST", 1_000, minimum=1)
MAX_CHART_POINTS = env_int("RUNYARD_MAX_CHART_POINTS", 1_000, minimum=10)
MAX_ANSWER_POINTS = env_int("RUNYARD_MAX_ANSWER_POINTS", 5_000_000, minimum=1_000)
STALE_AFTER_S = env_int("RUNYARD_STALE_AFTER", 150, minimum=5)
REQUESTS_PER_MINUTE = env_int("RUNYARD_REQUESTS_PER_MINUTE", 100)  # of a user of the AI Manager
REQUESTS_PER_HOUR = env_int("RUNYARD_REQUESTS_PER_HOUR", 1_000)  # API; 0: without a limit
POINTS_PER_SECOND = env_int("RUNYARD_POINTS_PER_SECOND", 10_000)  # logged there; 0: as above
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = MAX_RUNS_PER_REQUEST + 100  # a form may name every run it is about

# ── Django ───────────────────────────────────────────────────────────────────
INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "auditlog",
    "axes",
    "csp",
    "django_htmx",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "tracking",
    "dashboard",
]
MIDDLEWARE = [
    "tracking.middleware.note_request",  # first: it has the last word on what was asked for
    "django.middleware.security.SecurityMiddleware",
    "tracking.compression.compress_answers",
    "csp.middleware.CSPMiddleware",
    "tracking.middleware.relax_browsable_api",
    "config.negotiation.TwoForms",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tracking.middleware.check_origin",
    "tracking.middleware.secure_cookies",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tracking.middleware.find_caller",
    "tracking.middleware.note_actor",
    "tracking.middleware.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it answers in the place of a view that was locked
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
APPEND_SLASH = False  # contracts print both spellings; neither may answer with a redirect
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dashboard.context.access",
            ],
        },
    },
]

# ── What it stands on ────────────────────────────────────────────────────────
for package, variable, extra in (
    ("psycopg_pool", "DATABASE_URL", "postgres"),
    ("redis", "REDIS_URL", "redis"),
    ("boto3", "RUNYARD_S3_BUCKET", "s3"),
):
    require_package(package, variable, extra)
DATABASE_URL = env_secret("DATABASE_URL")
DATABASES = {"default": find_database(DATABASE_URL, DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
HAS_COMPANY = bool(DATABASE_URL)  # other processes may serve the same runs
REDIS_URL = find_redis(env_secret("REDIS_URL"))
CACHES = find_caches(REDIS_URL, DATABASE_URL)
# Of one process: tracking.domain.events tells how the news of another one get in here.
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
STOP_WITHIN_S = env_int("RUNYARD_STOP_WITHIN", 10)
AUTH_USER_MODEL = "tracking.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: it stops who has guessed too often
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login"
CSRF_FAILURE_VIEW = "dashboard.views.accounts.csrf_failure"
KNOX_TOKEN_MODEL = "tracking.ApiToken"  # noqa: S105 -- a name
AUDITLOG_USE_FK_STRING_REPRESENTATION = True  # the log is to be read when the row is gone
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

# ── Files ────────────────────────────────────────────────────────────────────
STATIC_URL = "/static/"
STATIC_ROOT = env_path("RUNYARD_STATIC_DIR", BASE_DIR / "var" / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = DATA_DIR / "artifacts"
STORAGES = {
    "default": find_storage(
        bucket=env_str("RUNYARD_S3_BUCKET", ""),
        endpoint=env_str("RUNYARD_S3_ENDPOINT", ""),
        region=env_str("RUNYARD_S3_REGION", ""),
        keys=(env_secret("RUNYARD_S3_ACCESS_KEY"), env_secret("RUNYARD_S3_SECRET_KEY")),
        prefix=env_str("RUNYARD_S3_PREFIX", ""),
        ca_file=env_str("RUNYARD_S3_CA", ""),
        is_direct=env_bool("RUNYARD_S3_DIRECT", default=False),
    ),
    "staticfiles": {"BACKEND": "config.static.ModuleAwareStorage"},
}

# ── Browser safety: nothing from another host, no inline script or style ─────
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 30 * 24 * 3600  # sent in answers over TLS only
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # HSTS for subdomains: other services of the same name are not ours to bind
    "security.W008",  # to send people on to https is the proxy's work; jobs may come past it
    "security.W012",  # session cookies are Secure where TLS is: tracking.middleware.secure_cookies
    "security.W016",  # CSRF cookies as well
    "security.W021",  # the browsers' preload lists are for the owner of the domain to join
]

# ── What was deleted can be restored for so many days; 0: it goes at once ────
TRASH_DAYS = min(env_int("RUNYARD_TRASH_DAYS", 30), 36_500)  # calendars end; a century is for ever
# What the files and points of a project may take, unless it has a quota of its own; 0: no limit.
PROJECT_QUOTA_BYTES = env_int("RUNYARD_PROJECT_QUOTA", 0)

# ── Guessing passwords: so many for one name from one address, then a pause ──
AXES_HANDLER = "tracking.attempts.Handler"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
# At whatever names: a whole office may come from one address, so it waits less long.
GUESSES_PER_ADDRESS = env_int("RUNYARD_GUESSES_PER_ADDRESS", 50)
ADDRESS_COOLOFF_TIME = timedelta(minutes=5)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # the pause ends when its page says so
AXES_LOCKOUT_CALLABLE = "tracking.attempts.tell_locked_out"
AXES_CLIENT_IP_CALLABLE = "tracking.attempts.guesser_address"
AXES_DISABLE_ACCESS_LOG = True  # jobs sign in by the thousand
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = [  # of what is kept of a guess
    "username",  # people type their password into the wrong field
    "old_password",
    "new_password1",
    "new_password2",
]

# ── REST ─────────────────────────────────────────────────────────────────────
REST_FRAMEWORK = {
    "NUM_PROXIES": TRUSTED_PROXIES,
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tracking.api.auth.TokenAccess",
        "tracking.api.auth.SessionAccess",
        "tracking.api.auth.OpenAccess",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "tracking.api.codecs.PageRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "tracking.api.codecs.FormatNegotiation",
    "DEFAULT_PARSER_CLASSES": ["tracking.api.parsers.NumberJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "tracking.api.errors.exception_handler",
}
JWT_LIFETIME_S = env_int("RUNYARD_JWT_LIFETIME", 24 * 60 * 60, minimum=1)
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    # A key of their own: what is signed for another purpose is no token.
    "SIGNING_KEY": salted_hmac("jwt", "", SECRET_KEY, algorithm="sha256").hexdigest(),
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=JWT_LIFETIME_S),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Runyard",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "PREPROCESSING_HOOKS": [
        "tracking.api.schema.documented_paths",
        "tracking.api.aspara_dashboard.streams.add_streams",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# ── The log ──────────────────────────────────────────────────────────────────
LOG_FORMAT = env_choice("RUNYARD_LOG_FORMAT", "line", {"line", "json"})
LOG_LEVEL = env_choice("RUNYARD_LOG_LEVEL", "info", LEVELS)
LOG_REQUESTS = env_bool("RUNYARD_LOG_REQUESTS", default=LOG_FORMAT == "json")  # a line for each
LOGGING = find_logging(LOG_FORMAT, LOG_LEVEL)
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.redaction.ReportFilter"  # of the pages of DEBUG

# ── Whoever looks after the server ───────────────────────────────────────────
VARIABLES = NAMES  # those that are read, and those of jobs
METRICS_TOKEN = env_secret("RUNYARD_METRICS_TOKEN")  # reads /metrics from other machines
MIN_FREE_BYTES = env_int("RUNYARD_MIN_FREE_BYTES", 256 * 1024**2)  # with less it is not ready
