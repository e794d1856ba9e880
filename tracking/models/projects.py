"""What runs are gathered in."""

from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from tracking.enums import ViewPage
from tracking.models.kept import KeptManager
from tracking.models.lengths import NAME_LENGTH


class Project(models.Model):
    key = models.CharField(max_length=NAME_LENGTH)
    name = models.CharField(max_length=NAME_LENGTH)
    namespace = models.CharField(max_length=NAME_LENGTH, blank=True)
    owner = models.ForeignKey(
        "tracking.User",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="owned_projects",
    )
    members = models.ManyToManyField("tracking.User", through="Membership", related_name="projects")
    is_public = models.BooleanField(default=False)
    description = models.TextField(blank=True)
    notes = models.TextField(blank=True)
    tags = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)  # it is in the trash
    # How long after its end a run keeps all its points, and then thinned series; None: for ever.
    keep_full_days = models.PositiveIntegerField(null=True, blank=True)
    keep_thinned_days = models.PositiveIntegerField(null=True, blank=True)
    quota_bytes = models.PositiveBigIntegerField(null=True, blank=True)

    objects = KeptManager["Project"]()
    everything: ClassVar[models.Manager["Project"]] = models.Manager()  # the trash too

    class Meta:
        ordering = ["key"]
        constraints = [
            UniqueConstraint(fields=["key"], condition=Q(deleted_at=None), name="project_key_once"),
            CheckConstraint(condition=~Q(key=""), name="project_key_not_empty"),
            UniqueConstraint(
                fields=["namespace", "name"],
                condition=~Q(namespace="") & Q(deleted_at=None),
                name="project_name_once_in_namespace",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class SavedView(models.Model):
    """A page of a project as somebody has set it up, under a name: the query string of its URL."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="views")
    name = models.CharField(max_length=NAME_LENGTH)
    page = models.CharField(max_length=10, choices=ViewPage.choices)
    query = models.TextField(blank=True)
    created_by = models.ForeignKey(
        "tracking.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="views"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            UniqueConstraint(fields=["project", "name"], name="view_name_once_in_project"),
            CheckConstraint(condition=Q(page__in=ViewPage.values), name="view_page_known"),
        ]

    def __str__(self) -> str:
        return self.name


class Folder(models.Model):
    """A folder that a client has asked for by name and knows by number: of runs, or in one run.

    What is shown of folders comes from `Run.folder` and `Artifact.path`; this is only the number.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="folders")
    run = models.ForeignKey(
        "tracking.Run", null=True, blank=True, on_delete=models.CASCADE, related_name="folders"
    )
    path = models.CharField(max_length=1000)

    class Meta:
        constraints = [
            UniqueConstraint(
                fields=["project", "path"], condition=Q(run=None), name="folder_once_in_project"
            ),
            UniqueConstraint(
                fields=["run", "path"], condition=~Q(run=None), name="folder_once_in_run"
            ),
        ]

    def __str__(self) -> str:
        return self.path
