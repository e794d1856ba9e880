"""Formatting only: how numbers, times and JSON are shown to people. `js/format.js` is the twin."""

import json
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tracking.models import SERIES_COLORS, Run

register = template.Library()

# 1,234 needs no unit to have four digits, 12,340 does.
SI = ((1e12, 1e12, "T"), (1e9, 1e9, "G"), (1e6, 1e6, "M"), (9999.5, 1e3, "k"))
WHOLE_NAME, NAME_END = 24, 12  # characters; the twin of both is in `js/format.js`
SOURCES = {"aspara": "Aspara", "ml_dash": "ML-Dash", "ai_manager": "AI Manager"}
UNITS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))


@register.filter
def figure(value: Any, absent: str = "–") -> str:
    """Four significant digits: 0.0123456 → 0.01235, 1234567.8 → 1.235M; whole numbers stay whole."""
    if value is None:
        return absent
    if isinstance(value, bool) or not isinstance(value, int | float):
        return as_text(value)
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "-∞"}.get(value, "NaN")
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    size = abs(value)
    if size >= 1e15 or size < 1e-4:
        mantissa, _, exponent = f"{value:.3e}".partition("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    divisor, suffix = next(((unit, s) for least, unit, s in SI if size >= least), (1.0, ""))
    return f"{value / divisor:.4g}{suffix}"


@register.filter
def as_text(value: Any) -> str:
    """JSON, but a text without its quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@register.filter
def duration(span: timedelta) -> str:
    """The two greatest units: `2 h 14 m`, `14 m 3 s`, `3 s`."""
    rest = max(0, int(span.total_seconds()))
    parts = []
    for unit, size_s in UNITS:
        count, rest = divmod(rest, size_s)
        parts.append((count, unit))
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    shown = [f"{count} {unit}" for count, unit in parts[first : first + 2] if count]
    return " ".join(shown) or "0 s"


@register.simple_tag
def ago(moment: datetime) -> SafeString:
    """A time as its age, with the exact time on hover; the browser keeps the age up to date."""
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        moment.isoformat(timespec="milliseconds"),
        f"{moment:%Y-%m-%d %H:%M:%S} UTC",
        age_text(timezone.now() - moment),
    )


def age_text(age: timedelta) -> str:
    """One unit: `just now`, `42 s ago`, `3 m ago`, `5 h ago`, `12 d ago`."""
    age_s = int(age.total_seconds())
    unit, size_s = next((entry for entry in UNITS if age_s >= entry[1]), UNITS[-1])
    return f"{age_s // size_s} {unit} ago" if age_s >= 5 else "just now"


@register.filter
def both_ends(name: str) -> SafeString | str:
    """A name that a narrow place cuts in its middle: the names of a sweep differ at their ends.

    As an image it is read out in one piece.
    """
    if len(name) <= WHOLE_NAME:
        return name
    return format_html(
        '<span class="both-ends" dir="auto" role="img" title="{}">'
        "<span>{}</span><span>{}</span></span>",
        name,
        name[:-NAME_END],
        name[-NAME_END:],
    )


@register.filter
def source_name(source: str) -> str:
    return SOURCES.get(source, source)


@register.filter
def path_name(run: Run) -> str:
    """The name with the folder before it: in another folder a run may have the same name."""
    return f"{run.folder}/{run.name}" if run.folder else run.name


@register.filter
def series_class(run: Run) -> str:
    """The run's colour for ever; neighbours in time differ, so do the newest twelve of a project."""
    return f"series-{run.color % SERIES_COLORS}"


@register.filter
def flatten(tree: dict[str, Any]) -> list[tuple[str, Any]]:
    """The leaves of nested objects under dotted keys: `{"a": {"b": 1}}` → `a.b`, 1."""
    return list(_leaves("", tree))


def _leaves(path: str, node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict) and (node or not path):
        for key, child in node.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), child)
    else:
        yield path, node


@register.filter
def first_line(text: str) -> str:
    """The first line of Markdown that says something, without what marks it as a heading."""
    lines = (line.strip("#*-> \t") for line in text.splitlines())
    return next(filter(None, lines), "")


@register.filter
def pretty_json(tree: Any) -> str:
    return json.dumps(tree, indent=2, ensure_ascii=False)


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("icons.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def kept_fields(context: dict[str, Any], *own: str) -> SafeString:
    """For a form without JavaScript: what the URL says beside the form's own fields."""
    params = context["request"].GET
    pairs = [(name, v) for name in params if name not in own for v in params.getlist(name)]
    fields = format_html_join("", '<input type="hidden" name="{}" value="{}">', pairs)
    return format_html("<noscript>{}</noscript>", fields) if pairs else fields


@register.simple_tag
def status(run: Run) -> SafeString:
    return status_word(run.shown_status)


def status_word(word: str) -> SafeString:
    """Icon, word, and colour third."""
    return format_html('<span class="status status-{}">{}{}</span>', word, icon(word), word)
