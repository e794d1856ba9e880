from django.urls import path, re_path

from tracking.api.docs.views import (
    DASHBOARD,
    MANAGER,
    ML_DASH,
    TRACKER,
    RedocView,
    SwaggerView,
    documentation_list,
)

app_name = "docs"
urlpatterns = [
    re_path(r"^docs/?$", documentation_list, name="index"),
    path("docs/dashboard/schema", DASHBOARD.schema_view(), name="dashboard-schema"),
    path("docs/manager/schema", MANAGER.schema_view(), name="manager-schema"),
    re_path(
        r"^docs/manager/?$",
        SwaggerView.as_view(url_name="docs:manager-schema", title=MANAGER.title),
        name="manager",
    ),
    path("docs/ml-dash/schema", ML_DASH.schema_view(), name="ml-dash-schema"),
    re_path(
        r"^docs/ml-dash/?$",
        SwaggerView.as_view(url_name="docs:ml-dash-schema", title=ML_DASH.title),
        name="ml-dash",
    ),
    path("tracker/openapi.json", TRACKER.schema_view(), name="tracker-schema"),
    re_path(
        r"^docs/dashboard/?$",
        SwaggerView.as_view(url_name="docs:dashboard-schema", title=DASHBOARD.title),
        name="dashboard",
    ),
    re_path(
        r"^tracker/docs/tracker/?$",
        SwaggerView.as_view(url_name="docs:tracker-schema", title=TRACKER.title),
        name="tracker",
    ),
    re_path(
        r"^tracker/docs/tracker/redoc/?$",
        RedocView.as_view(url_name="docs:tracker-schema", title=TRACKER.title),
        name="tracker-redoc",
    ),
]
