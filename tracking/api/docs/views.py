"""The documentation pages: each published API has a schema, and pages that draw it."""

from typing import Any, NamedTuple

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)
from rest_framework.views import APIView

# What Swagger UI and ReDoc need beyond the strict policy of all other pages. Nothing from elsewhere.
INLINE_STYLE = {"style-src": [SELF, UNSAFE_INLINE]}
allow_inline_style = csp_update(INLINE_STYLE)
allow_worker_too = csp_update(INLINE_STYLE | {"worker-src": [SELF, "blob:"]})

READING = ["get", "head"]  # DRF's answer to OPTIONS is data, for which there is no template

# The first is for who asks for nothing: one of the addresses ends in .json.
SCHEMA_FORMS = [
    OpenApiJsonRenderer2,
    OpenApiJsonRenderer,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
]


class Surface(NamedTuple):
    """A published API: the name its URLs use, its title, and where its paths hang."""

    name: str
    title: str
    prefix: str
    urlconf: str

    def schema_view(self) -> Any:
        return SpectacularAPIView.as_view(
            patterns=[path(self.prefix, include(self.urlconf))],
            custom_settings={"TITLE": self.title},
            renderer_classes=SCHEMA_FORMS,
        )


TRACKER = Surface("tracker", "Tracker API", "tracker/api/v1/", "tracking.api.aspara_tracker.urls")
DASHBOARD = Surface("dashboard", "Dashboard API", "api/", "tracking.api.aspara_dashboard.urls")
MANAGER = Surface("manager", "AI Manager API", "", "tracking.api.ai_manager.urls")
ML_DASH = Surface("ml-dash", "ML-Dash API", "", "tracking.api.ml_dash.urls")


class ForPeople(APIView):
    """REST views answer who is not known with a 401; a person is led to the login."""

    http_method_names = ["get", "head"]

    @classmethod
    def as_view(cls, **options: Any) -> Any:
        view = super().as_view(**options)
        view.login_required = True  # type: ignore[attr-defined]  # as Django's decorators do
        return view


@method_decorator(allow_inline_style, name="dispatch")
class SwaggerView(ForPeople, SpectacularSwaggerSplitView):
    """In two parts, because no page has an inline script; with a template that knows our theme."""

    template_name = "docs/swagger.html"
    http_method_names = READING


@method_decorator(allow_worker_too, name="dispatch")
class RedocView(ForPeople, SpectacularRedocView):
    """With a template of our own: the stock one asks a font host."""

    template_name = "docs/redoc.html"
    http_method_names = READING


@require_safe
def documentation_list(request: HttpRequest) -> HttpResponse:
    return render(request, "docs/index.html")
