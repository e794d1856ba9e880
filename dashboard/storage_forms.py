"""What an owner says of keeping points, and an administrator of room."""

from typing import Any, Self

from django import forms

from dashboard.forms import VerbForm
from tracking.models import Project

MEGABYTE = 1024**2


class RetentionForm(VerbForm):
    keep_full_days = forms.IntegerField(
        label="Keep all points for so many days",
        required=False,
        min_value=0,
        help_text="After a run has ended. Empty: for ever.",
    )
    keep_thinned_days = forms.IntegerField(
        label="Then thinned series for so many days more",
        required=False,
        min_value=0,
        help_text="At most 1,000 points of each. Empty: for ever. Then only summaries are kept.",
    )

    @classmethod
    def of(cls, project: Project) -> Self:
        return cls(initial=cls.values_of(project))

    @staticmethod
    def values_of(project: Project) -> dict[str, Any]:
        return {
            "keep_full_days": project.keep_full_days,
            "keep_thinned_days": project.keep_thinned_days,
        }


class QuotaForm(VerbForm):
    quota_mb = forms.IntegerField(
        label="Quota in MB",
        required=False,
        min_value=0,
        max_value=2**40,
        help_text="Empty: what the server grants. 0: no limit.",
    )

    @classmethod
    def of(cls, project: Project) -> Self:
        return cls(initial=cls.values_of(project))

    @staticmethod
    def values_of(project: Project) -> dict[str, Any]:
        own = project.quota_bytes
        return {"quota_mb": None if own is None else own // MEGABYTE}

    def values(self) -> dict[str, Any]:
        megabytes = self.cleaned_data["quota_mb"]
        return {"quota_bytes": None if megabytes is None else megabytes * MEGABYTE}
