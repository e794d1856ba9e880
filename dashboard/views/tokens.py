"""One's own API tokens; in open mode those of the user that everybody is.

A secret is shown in the answer to its making, and nowhere again.
"""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from dashboard.decorators import editor
from dashboard.listing import cut_page
from dashboard.token_form import TokenForm
from dashboard.views.accounts import me, private, status_of
from tracking.domain.tokens import create_token, current_tokens, revoke_token


@private
@editor
def token_list(request: HttpRequest) -> HttpResponse:
    user = me(request)
    form = TokenForm(user, request.POST or None)
    token, secret = form.result if form.done(create_token, user) else (None, "")
    context = {
        "form": TokenForm(user) if token else form,
        "token": token,
        "secret": secret,
        "server_url": request.build_absolute_uri("/").rstrip("/"),
        "tokens": cut_page(current_tokens(user).select_related("project"), request.GET.get("page")),
    }
    return render(request, "dashboard/token_list.html", context, status=status_of(form))


@private
@editor
def token_revocation(request: HttpRequest, token_id: str) -> HttpResponse:
    token = get_object_or_404(current_tokens(me(request)), pk=token_id)
    if request.method != "POST":
        return render(request, "dashboard/token_revocation.html", {"token": token})
    revoke_token(token)
    messages.success(request, f"The token “{token.name}” is revoked: it opens nothing any more.")
    return redirect("dashboard:token-list")
