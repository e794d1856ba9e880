"""The whole URL map. Streams and the batch door are consumers: see tracking/routing.py."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("tracking.api.aspara_dashboard.urls")),
]
