"""Runyard's settings. Zero-config by default: SQLite and files under ./var, open on loopback.

Every environment variable is read in this file and nowhere else; docs/configuration.md lists them.
"""

from pathlib import Path

from csp.constants import NONE, SELF

from config.env import env_bool, env_choice, env_int, env_list, env_path, env_secret

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

# ── Where things live ────────────────────────────────────────────────────────
DATA_DIR = env_path("RUNYARD_DATA_DIR", BASE_DIR / "var")
SECRET_KEY = env_secret("RUNYARD_SECRET_KEY", DATA_DIR / "secret_key")
DEBUG = env_bool("RUNYARD_DEBUG", default=False)

# ── Who may come in ──────────────────────────────────────────────────────────
# Signing in is not built yet: who asks for it must not get an open server instead.
ACCESS = env_choice("RUNYARD_ACCESS", "open", {"open"})
ALLOW_OPEN = env_bool("RUNYARD_ALLOW_OPEN", default=False)  # open mode beyond loopback
LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = LOOPBACK_HOSTS + env_list("RUNYARD_ALLOWED_HOSTS")

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
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "tracking",
    "dashboard",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "tracking.compression.compress_answers",
    "csp.middleware.CSPMiddleware",
    "tracking.middleware.relax_browsable_api",
    "config.negotiation.vary_by_accept",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tracking.middleware.check_origin",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tracking.middleware.open_access",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
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
            ],
        },
    },
]

# ── Database: one writer at a time, so every transaction says at once that it writes ─────────
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "runyard.sqlite3",
        "CONN_MAX_AGE": 0,  # under ASGI each request has a thread of its own
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            # auto_vacuum must come first: it only takes in a file that has no table yet.
            # FULL: an acknowledged batch survives power loss, not only a crash.
            # The limit: after a large deletion the file beside the database would stay as large.
            "init_command": (
                "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"
                "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;"
                "PRAGMA journal_size_limit=67108864;"
            ),
        },
        "TEST": {"NAME": DATA_DIR / "test.sqlite3"},  # a file: the writer thread must see it too
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
AUTH_USER_MODEL = "tracking.User"
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
    "default": {"BACKEND": "tracking.storage.DurableFileStorage"},
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

# ── REST ─────────────────────────────────────────────────────────────────────
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tracking.api.auth.OpenAccessAuthentication"],
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
SPECTACULAR_SETTINGS = {
    "TITLE": "Runyard",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "PREPROCESSING_HOOKS": [
        "tracking.api.schema.documented_paths",
        "tracking.api.aspara_dashboard.streams.add_streams",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},  # to the root's handler, once
        "django.request": {"level": "ERROR"},  # a 4xx is the caller's news, not the operator's
    },
}
