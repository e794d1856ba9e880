"""The way into the administration: people sign in at one place, which counts wrong guesses."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

REFUSAL = "These pages are for administrators; you are signed in as {name}."


@login_not_required
@require_safe
def enter(request: HttpRequest) -> HttpResponseBase:
    """Where the admin sends those whom it does not know. Source: `AdminSite.login`."""
    user = request.user
    if not user.is_authenticated:
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
    if not (user.is_active and user.is_staff):
        raise PermissionDenied(REFUSAL.format(name=user.get_username()))
    return redirect("admin:index")
