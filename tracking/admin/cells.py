"""What stands in a cell or a field: links, figures, times, JSON. Names always stay text."""

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tracking.domain.weights import Weight
from tracking.enums import ViewPage
from tracking.models import Project, Run, SavedView

ABSENT = "–"
MAX_JSON_LENGTH = 20_000  # characters; a page is to be read


def link(url: str, text: object) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, text)


def object_link(shown: Model, text: object = None) -> SafeString:
    """To the object's own page in the admin. A long name is cut, and whole on hover."""
    url = reverse(f"admin:tracking_{_name(type(shown))}_change", args=[shown.pk])
    text = str(shown) if text is None else text
    return format_html('<a class="clip" href="{}" title="{}">{}</a>', url, text, text)


def list_link(model: type[Model], text: object, **narrowed: int) -> SafeString:
    """To the model's list, narrowed to what is given."""
    url = reverse(f"admin:tracking_{_name(model)}_changelist")
    return link(f"{url}?{urlencode(narrowed)}", text)


def _name(model: type[Model]) -> str:
    return model.__name__.lower()


def run_link(run: Run) -> SafeString:
    """`project / run`, each cut where it is long."""
    project, key = run.project.key, run.key
    name = format_html('<span class="clip">{}</span> / <span class="clip">{}</span>', project, key)
    url = reverse("admin:tracking_run_change", args=[run.pk])
    return format_html('<a class="run" href="{}" title="{} / {}">{}</a>', url, project, key, name)


def project_page(project: Project) -> str:
    return reverse("dashboard:project-detail", args=[project.key])


def run_page(run: Run) -> str:
    return reverse("dashboard:run-detail", args=[run.project.key, run.key])


def view_page(view: SavedView) -> str:
    folder = "" if view.page == ViewPage.CHARTS else f"/{view.page}"
    return f"{project_page(view.project)}{folder}?{view.query}"


def metric_page(run: Run, name: str) -> str:
    page = reverse("dashboard:metric-detail", args=[run.project.key])
    return f"{page}?{urlencode({'name': name, 'run': run.key})}"


def page_link(url: str) -> SafeString:
    """To the dashboard's page, from a column."""
    return link(url, "Open")


def figure(value: float | None) -> SafeString:
    """Four significant digits, all of them on hover."""
    return _render("_figure.html", value=value)


def status(run: Run) -> SafeString:
    return _render("_status.html", run=run)


def age(moment: datetime | None) -> SafeString | str:
    """How long ago, with the exact time on hover."""
    return _render("_age.html", moment=moment) if moment else ABSENT


def _render(template: str, **context: Any) -> SafeString:
    return SafeString(render_to_string(f"admin/tracking/{template}", context).strip())


def duration(span: timedelta) -> SafeString:
    return _render("_duration.html", span=span)


def minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def exact_time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ABSENT


def size(size_bytes: int | None) -> str:
    return filesizeformat(size_bytes or 0)


def json_text(tree: Any) -> SafeString | str:
    """JSON for reading, cut where it would fill the page."""
    if not tree:
        return ABSENT
    text = json.dumps(tree, indent=2, ensure_ascii=False)
    if len(text) > MAX_JSON_LENGTH:
        text = f"{text[:MAX_JSON_LENGTH]}\n… {len(text) - MAX_JSON_LENGTH:,} more characters"
    return format_html('<pre class="json">{}</pre>', text)


def clip(text: str) -> SafeString:
    """A long text cut to its column, and whole on hover."""
    return format_html('<span class="clip" title="{}">{}</span>', text, text)


def tag_list(tags: list[str]) -> str:
    return ", ".join(map(str, tags)) or ABSENT


def weight_items(weight: Weight, *, is_freed: bool = True) -> dict[str, str]:
    """What deleting takes with it, for people. The space comes last: in the trash it is not free."""
    counts = {
        "metrics": weight.metric_count,
        "points": weight.point_count,
        "log lines": weight.log_line_count,
        "files": weight.file_count,
    }
    shown = {name: f"{count:,}" for name, count in counts.items() if count}
    return shown | {"freed" if is_freed else "in the trash": size(weight.total_bytes)}
