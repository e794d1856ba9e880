"""The whole URL map. Streams and the batch door are consumers: see tracking/routing.py."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from config.negotiation import with_json, with_manager
from dashboard import urls as dashboard
from tracking.admin.entrance import enter
from tracking.api.ai_manager import urls as manager
from tracking.api.aspara_dashboard.views import RunViewSet
from tracking.api.aspara_tracker.urls import health
from tracking.api.errors import no_such_path

JSON_TWINS = {"run-detail": RunViewSet.as_view({"get": "get_run"})}
MANAGER_TWINS = {"projects": manager.projects, "project-detail": manager.project}
pages = with_manager(with_json(dashboard.urlpatterns, JSON_TWINS), MANAGER_TWINS)

urlpatterns = [
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/login/", enter),  # in the place of the admin's own
    path("admin/password_change/", RedirectView.as_view(pattern_name="dashboard:password")),
    path("admin/", admin.site.urls),
    path("", include("tracking.api.ml_dash.urls")),  # knows its own numbers of projects: first
    path("api/", include("tracking.api.aspara_dashboard.urls")),
    path("tracker/api/v1/", include("tracking.api.aspara_tracker.urls")),
    path("api/v1/", include("tracking.api.aspara_tracker.urls")),
    health,
    path("", include("tracking.api.operations.urls")),
    path("", include("tracking.api.docs.urls")),
    path("", include((pages, dashboard.app_name))),
    path("", include(manager)),  # behind the pages, which share `/projects/` with it
    re_path("^(api|tracker|auth|runs|metrics|artifacts)/", no_such_path),
]
handler500 = "config.negotiation.server_error"
