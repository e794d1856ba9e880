"""The pages people look at. Plural nouns, no verbs; a slash at the end changes nothing."""

from django.urls import URLPattern, path, re_path
from django.views.generic import RedirectView

from dashboard.decorators import View
from dashboard.views import (
    accounts,
    compare,
    editing,
    members,
    projects,
    run_actions,
    run_detail,
    run_files,
    run_logs,
    run_rows,
    run_table,
    saved_views,
    storage,
    tokens,
    trash,
)

PROJECT = r"projects/(?P<project_key>[^/]+)"
RUN = rf"{PROJECT}/runs/(?P<run_key>[^/]+)"
FILE = rf"{RUN}/artifacts/(?P<artifact_id>\d+)"


def route(pattern: str, view: View, name: str) -> URLPattern:
    return re_path(rf"^{pattern}/?$", view, name=name)


app_name = "dashboard"
urlpatterns = [
    path("", projects.project_list, name="project-list"),
    route("projects", RedirectView.as_view(pattern_name="dashboard:project-list"), "projects"),
    re_path("^favicon.ico$", projects.favicon),
    route("login", accounts.sign_in, "login"),
    route("logout", accounts.sign_out, "logout"),
    route("setup/(?P<secret>[^/]+)", accounts.setup, "setup"),
    route("register", accounts.register, "register"),
    route("join/(?P<secret>[^/]+)", accounts.join, "join"),
    route("profile", accounts.profile, "profile"),
    route("profile/password", accounts.password, "password"),
    route("profile/tokens", tokens.token_list, "token-list"),
    route(
        r"profile/tokens/(?P<token_id>\d+)/revocation", tokens.token_revocation, "token-revocation"
    ),
    route("invitations", members.invite, "invitation-list"),
    route(
        r"invitations/(?P<server_invitation_id>\d{1,18})/withdrawal",
        members.server_invitation_withdrawal,
        "server-invitation-withdrawal",
    ),
    route(PROJECT, projects.project_detail, "project-detail"),
    route(rf"{PROJECT}/metrics", projects.metric_detail, "metric-detail"),
    route(rf"{PROJECT}/fields", projects.field_list, "field-list"),
    route(rf"{PROJECT}/about", editing.project_about, "project-about"),
    route(rf"{PROJECT}/(?P<field>tags|description|notes)", editing.project_field, "project-field"),
    route(rf"{PROJECT}/members", members.member_list, "member-list"),
    route(rf"{PROJECT}/members/(?P<user_id>\d{{1,18}})", members.member, "member"),
    route(
        rf"{PROJECT}/members/(?P<user_id>\d{{1,18}})/removal",
        members.member_removal,
        "member-removal",
    ),
    route(rf"{PROJECT}/members/suggestions", members.person_list, "person-list"),
    route(rf"{PROJECT}/departure", members.departure, "departure"),
    route(rf"{PROJECT}/ownership", members.ownership, "ownership"),
    route(rf"{PROJECT}/visibility", members.visibility, "visibility"),
    route(rf"{PROJECT}/invitations", members.invitation_list, "project-invitation-list"),
    route(
        rf"{PROJECT}/invitations/(?P<invitation_id>\d{{1,18}})/withdrawal",
        members.invitation_withdrawal,
        "invitation-withdrawal",
    ),
    route(rf"{PROJECT}/storage", storage.project_storage, "project-storage"),
    route(rf"{PROJECT}/storage/quota", storage.project_quota, "project-quota"),
    route(rf"{PROJECT}/deletion", trash.project_deletion, "project-deletion"),
    route(rf"{PROJECT}/trash", trash.project_trash, "project-trash"),
    route(rf"{PROJECT}/trash/restoration", trash.trash_restoration, "trash-restoration"),
    route(rf"{PROJECT}/trash/emptying", trash.trash_emptying, "trash-emptying"),
    route("trash", trash.trash, "trash"),
    route(
        r"trash/(?P<project_id>\d{1,18})/restoration",
        trash.project_restoration,
        "project-restoration",
    ),
    route(
        r"trash/(?P<project_id>\d{1,18})/deletion",
        trash.discarded_project_deletion,
        "discarded-project-deletion",
    ),
    route(rf"{PROJECT}/runs", run_table.run_list, "run-list"),
    route(rf"{PROJECT}/compare", compare.compare, "compare"),
    route(rf"{PROJECT}/columns", run_table.column_list, "column-list"),
    route(rf"{PROJECT}/runs/actions", run_actions.run_actions, "run-actions"),
    route(rf"{PROJECT}/views", saved_views.saved_view_list, "saved-view-list"),
    route(rf"{PROJECT}/views/(?P<view_id>\d+)", saved_views.saved_view_detail, "saved-view"),
    route(
        rf"{PROJECT}/views/(?P<view_id>\d+)/deletion",
        saved_views.saved_view_deletion,
        "saved-view-deletion",
    ),
    route(RUN, run_detail.run_detail, "run-detail"),
    route(rf"{RUN}/(?P<field>name|tags|notes|readme)", editing.run_field, "run-field"),
    route(rf"{RUN}/config", run_detail.run_config, "run-config"),
    route(rf"{RUN}/metrics", run_detail.run_metrics, "run-metrics"),
    route(rf"{RUN}/logs", run_logs.run_logs, "run-logs"),
    route(rf"{RUN}/rows", run_rows.run_rows, "run-rows"),
    route(rf"{RUN}/deletion", trash.run_deletion, "run-deletion"),
    route(rf"{RUN}/artifacts", run_files.artifact_list, "artifact-list"),
    route(FILE, run_files.artifact, "artifact"),
    route(rf"{FILE}/content", run_files.artifact_content, "artifact-content"),
    route(rf"{FILE}/preview", run_files.artifact_preview, "artifact-preview"),
]
