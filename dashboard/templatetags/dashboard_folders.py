"""Where one is: the way from the namespace over the project down the folders."""

from typing import Any

from django import template
from django.urls import reverse
from django.utils.http import urlencode

from tracking.models import Project

register = template.Library()
SHOWN = 3  # the last folders of a long path


@register.inclusion_tag("dashboard/_crumbs.html")
def crumbs(project: Project, path: str = "", is_here: bool = False) -> dict[str, Any]:
    """Links to the project and to the folders of the path; `is_here`: the last one is this page."""
    address = reverse("dashboard:project-detail", args=[project.key])
    parts = path.split("/") if path else []
    steps = [
        (part, f"{address}?{urlencode({'folder': '/'.join(parts[: place + 1])})}")
        for place, part in enumerate(parts)
    ]
    return {
        "project": project,
        "address": address,
        "steps": steps[-SHOWN:],
        "is_cut": len(steps) > SHOWN,
        "is_here": is_here,
    }
