"""For whoever looks after the server. `/health` is the tracker API's."""

from django.urls import re_path

from tracking.api.operations.views import metrics, ready

urlpatterns = [re_path(r"^ready/?$", ready), re_path(r"^metrics/?$", metrics)]
