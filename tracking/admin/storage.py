"""Storage use: who and what takes the room."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from tracking.admin import cells
from tracking.domain.usage import Usage, usage_of_projects, usage_of_trash, usage_of_users
from tracking.models import Project, User

Row = tuple[Any, Usage, str]  # its name as a link, the figures, the room they take in all


def storage_use(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    projects, users = usage_of_projects(), usage_of_users()
    owners = User.objects.in_bulk([key for key in users if key is not None])
    context |= {
        "title": "Storage use",
        "trash_size": cells.size(usage_of_trash().total_bytes),
        "tables": [
            ("Project", _rows(projects, Project.objects.only("key").in_bulk(projects))),
            ("Started by", _rows(users, owners)),
        ],
    }
    return TemplateResponse(request, "admin/tracking/storage_use.html", context)


def _rows(usages: Mapping[Any, Usage], owners: Mapping[Any, Model]) -> Iterable[Row]:
    for key, usage in usages.items():
        name = cells.object_link(owners[key]) if key in owners else "nobody who is still there"
        yield name, usage, cells.size(usage.total_bytes)
