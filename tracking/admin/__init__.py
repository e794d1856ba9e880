"""The admin: a page for each model, for people who look after what is stored."""

from django.contrib import admin

from tracking.admin import (
    artifacts,
    audit,
    metrics,
    people,
    points,
    projects,
    records,
    runs,
    tokens,
    views,
    words,
)

__all__ = [
    "artifacts",
    "audit",
    "metrics",
    "people",
    "points",
    "projects",
    "records",
    "runs",
    "tokens",
    "views",
    "words",
]

admin.site.site_header = "Runyard administration"
admin.site.site_title = "Runyard administration"
admin.site.index_title = "What is stored"
