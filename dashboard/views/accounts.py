"""Signing in and out, the first set-up, invitations, and one's own account."""

from contextlib import suppress
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.forms.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from dashboard.decorators import View, editor
from dashboard.forms import AccountForm, PasswordForm, ProfileForm, SignInForm
from dashboard.htmx import is_htmx
from tracking.domain.accounts import update_account
from tracking.domain.registration import (
    is_registration_open,
    read_invitation,
    register_user,
)
from tracking.domain.setup import check_setup_secret, needs_setup, set_up
from tracking.errors import NotFound, NotPermitted
from tracking.models import Invitation, Project, User

BACKEND = "django.contrib.auth.backends.ModelBackend"


def with_accounts(view: View) -> View:
    """In open mode there is nothing to sign in to: those who come are told so."""

    @wraps(view)
    def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        if settings.ACCESS == "open":
            messages.info(
                request, "Nobody has to sign in here: everybody may see and do everything."
            )
            return redirect("dashboard:project-list")
        return view(request, **kwargs)

    return wrapped


def private(view: View) -> View:
    """Forms with passwords in them: kept by no cache, and shown in no report of an error."""
    return never_cache(sensitive_post_parameters()(view))


def is_local_path(text: str) -> bool:
    return text.startswith("/") and url_has_allowed_host_and_scheme(text, allowed_hosts=None)


class SignIn(LoginView):
    form_class = SignInForm
    redirect_authenticated_user = True

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        asked = request or self.request
        next_page: str = asked.POST.get("next", asked.GET.get("next", ""))
        return next_page if is_local_path(next_page) else ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        more = {
            "needs_setup": needs_setup(),
            "is_registration_open": is_registration_open(),
            "has_ended": self.request.GET.get("ended") == "1",
        }
        return super().get_context_data(**kwargs, **more)


sign_in = with_accounts(editor(SignIn.as_view()))
sign_out = with_accounts(LogoutView.as_view())


@login_not_required
@private
@with_accounts
@editor
def setup(request: HttpRequest, secret: str) -> HttpResponse:
    check_setup_secret(secret)
    form = AccountForm(request.POST or None)
    if form.done(set_up, secret):
        return enter(request, form.result, "Runyard is set up, and you are its administrator.")
    return render(request, "registration/setup.html", {"form": form}, status=status_of(form))


@login_not_required
@private
@with_accounts
@editor
def register(request: HttpRequest) -> HttpResponse:
    if not is_registration_open():
        raise Http404
    form = AccountForm(request.POST or None)
    if form.done(register_user):
        return enter(request, form.result, "Welcome to Runyard.")
    return render(request, "registration/register.html", {"form": form}, status=status_of(form))


@login_not_required
@private
@with_accounts
@editor
def join(request: HttpRequest, secret: str) -> HttpResponse:
    """For who has no account yet; who has one is let into a project by its owner."""
    invitation = promised(secret)
    if invitation is None:
        return render(request, "registration/join_gone.html", status=404)
    form = AccountForm(request.POST or None, initial={"email": invitation.email})
    form.fields["email"].disabled = bool(invitation.email)
    if not request.user.is_authenticated and form.done(register_user, invitation=invitation):
        return enter(request, form.result, "Welcome to Runyard.", invitation.project)
    context = {"form": form, "invitation": invitation}
    return render(request, "registration/join.html", context, status=status_of(form))


def promised(secret: str) -> Invitation | None:
    """The invitation of a link, while it holds."""
    with suppress(NotFound):
        return read_invitation(secret)
    return None


def enter(
    request: HttpRequest, user: User, welcome: str, project: Project | None = None
) -> HttpResponse:
    """Sign in whoever has just made an account."""
    login(request, user, backend=BACKEND)
    messages.success(request, welcome)
    if project:
        return redirect("dashboard:project-detail", project.key)
    return redirect("dashboard:project-list")


@with_accounts
@editor
def profile(request: HttpRequest) -> HttpResponse:
    user = me(request)
    first = {field: getattr(user, field) for field in ("first_name", "last_name", "email")}
    form = ProfileForm(request.POST or None, initial=first)
    if form.done(update_account, user):
        messages.success(request, "Saved.")
        return redirect("dashboard:profile")
    return render(request, "dashboard/profile.html", {"form": form}, status=status_of(form))


@private
@with_accounts
@editor
def password(request: HttpRequest) -> HttpResponse:
    """Changing it ends all other sessions of the user."""
    form = PasswordForm(me(request), request.POST or None, request=request)
    if form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.success(request, "Your password is changed. Other browsers have to sign in again.")
        return redirect("dashboard:profile")
    return render(request, "dashboard/password.html", {"form": form}, status=status_of(form))


def me(request: HttpRequest) -> User:
    """The user as stored. Raises: NotPermitted for a program's token, which is not the person."""
    if not isinstance(request.user, User) or request.user.token:
        raise NotPermitted("Sign in as yourself to change your account.")
    return User.objects.get(pk=request.user.pk)


def status_of(form: BaseForm) -> int:
    return 400 if form.errors else 200


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 -- for developers
    """A form from before the last sign-in, or one without its cookie."""
    template = "dashboard/_problem.html" if is_htmx(request) else "403_csrf.html"
    context = {"exception": "This page is from before you signed in. Load it again."}
    return render(request, template, context, status=403)
