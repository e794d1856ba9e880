"""What every page of a project says once its room is used up."""

from typing import Any

from django import template

from tracking.domain.quotas import find_quota, limit_of
from tracking.models import Project

register = template.Library()


@register.inclusion_tag("dashboard/_quota.html")
def quota_banner(project: Project) -> dict[str, Any]:
    """Nothing while there is room; no query where there is no quota."""
    return {
        "project": project,
        "is_exceeded": limit_of(project) and find_quota(project).is_exceeded,
    }
