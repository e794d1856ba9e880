"""Cells of the run table. Made here, not in the template: a page has many hundreds of them."""

from datetime import datetime, timedelta
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from dashboard.templatetags.dashboard_format import (
    ago,
    as_text,
    duration,
    figure,
    source_name,
    status_word,
)
from tracking.domain.fields import Field

SHOWN_TAGS = 3
SHOWN_TEXT = 80  # characters; the rest is to be read on hover and on the run's page
HOVER_TEXT = 300
NONE = SafeString("–")


def cell(field: Field, value: Any, classes: str) -> SafeString:
    """A table cell: what is shown, and in full on hover where that says more."""
    if value is None or value == [] or (value == "" and field.source == "run"):
        return format_html('<td class="{}">{}</td>', f"{classes} none".strip(), NONE)
    shown, title = _shown(field, value)
    hover = format_html(' title="{}"', title[:HOVER_TEXT]) if title else ""
    marked = format_html(' class="{}"', classes) if classes else ""
    return format_html("<td{}{}>{}</td>", marked, hover, shown)


def _shown(field: Field, value: Any) -> tuple[str, str]:
    if field.name == "status":
        return status_word(value), ""
    if field.kind == "tags" and isinstance(value, list):
        return _tags(value), ", ".join(value) if len(value) > SHOWN_TAGS else ""
    if isinstance(value, datetime):
        return ago(value), ""
    if isinstance(value, timedelta):
        return duration(value), f"{value.total_seconds():.0f} s"
    if field.name == "source":
        return source_name(value), ""
    text = figure(value)
    full = as_text(value)
    return text[:SHOWN_TEXT], full if full != text or len(text) > 24 else ""


def _tags(tags: list[str]) -> SafeString:
    items = format_html_join("", '<li class="tag">{}</li>', ((tag,) for tag in tags[:SHOWN_TAGS]))
    rest = len(tags) - SHOWN_TAGS
    more = format_html('<li class="muted">+{}</li>', rest) if rest > 0 else ""
    return format_html('<ul class="tags">{}{}</ul>', items, more)


def is_figure(value: Any) -> bool:
    """Whether it stands at the right, under others of its kind."""
    return isinstance(value, int | float | timedelta) and not isinstance(value, bool)
