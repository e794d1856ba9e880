"""What the administration calls things.

Set here, not in the models: there each word would make a migration, and some models are not ours.
"""

from auditlog.models import LogEntry
from axes.models import AccessFailureLog, AccessLog
from django.apps import apps
from django.contrib import admin
from django.db.models import Model

from tracking.models import MetricPoint, Producer, RowBlock

APPS = {
    "auditlog": "Audit log",
    "auth": "Groups of people",
    "axes": "Signing in",
    "tracking": "Projects, runs and people",
}
MODELS: dict[type[Model], tuple[str, str]] = {
    LogEntry: ("audit entry", "audit entries"),
    MetricPoint: ("stretch of points", "points of metrics"),
    Producer: ("logging process", "logging processes"),
    RowBlock: ("stretch of rows", "rows of ML-Dash streams"),
}

# Empty for ever: django-axes is told to keep neither.
admin.site.unregister([AccessFailureLog, AccessLog])

for label, words in APPS.items():
    apps.get_app_config(label).verbose_name = words
for model, (one, many) in MODELS.items():
    model._meta.verbose_name = one  # noqa: SLF001 -- Django's documented Model _meta API
    model._meta.verbose_name_plural = many  # noqa: SLF001 -- as above
