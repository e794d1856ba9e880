"""Words that are stored: imports nothing of ours."""

from django.db.models import TextChoices


class RunStatus(TextChoices):
    """How a run stands. *Stale* is no status: it is computed, and the next sign of life heals it."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Resolution(TextChoices):
    """How much of a run's series is still there; its summaries are, always."""

    FULL = "full"
    THINNED = "thinned"
    SUMMARY = "summary"


class Role(TextChoices):
    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"


class Source(TextChoices):
    """The surface a run came in by."""

    ASPARA = "aspara"
    ML_DASH = "ml_dash"
    AI_MANAGER = "ai_manager"


class ArtifactCategory(TextChoices):
    CODE = "code"
    MODEL = "model"
    CONFIG = "config"
    DATA = "data"
    OTHER = "other"


class ViewPage(TextChoices):
    """The pages of a project whose set-up can be kept."""

    CHARTS = "charts"
    RUNS = "runs"
    COMPARE = "compare"
