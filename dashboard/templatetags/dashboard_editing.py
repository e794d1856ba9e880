"""Fields that can be edited where they stand, and notes as they read."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from dashboard.editing import Edit
from dashboard.notes import render_notes
from tracking.models import Project, Run

register = template.Library()


@register.filter
def markdown(text: str) -> SafeString:
    return render_notes(text)


@register.inclusion_tag("dashboard/_field.html")
def editable(owner: Run | Project, field: str, may_write: bool) -> dict[str, Any]:
    """A field of a run (name, tags, notes, readme) or a project (tags, description, notes)."""
    return {"edit": Edit(owner=owner, field=field, is_whole=False), "may_write": may_write}
