from django.apps import AppConfig


class TrackingConfig(AppConfig):
    name = "tracking"

    def ready(self) -> None:
        from django.conf import settings  # noqa: PLC0415 -- app ready
        from django.db import connection  # noqa: PLC0415 -- app ready
        from django.db.models.signals import post_save, pre_migrate  # noqa: PLC0415 -- app ready

        from tracking import checks, storage_check, telemetry  # noqa: F401, PLC0415 -- app ready
        from tracking.domain import audit, callers, space  # noqa: PLC0415 -- app ready
        from tracking.models import Artifact  # noqa: PLC0415 -- app ready

        audit.watch()
        callers.watch()
        pre_migrate.connect(space.prepare_file, sender=self, dispatch_uid="shrinking file")
        post_save.connect(telemetry.note_artifact, sender=Artifact, dispatch_uid="artifact bytes")
        telemetry.describe_build(settings.VERSION, connection.vendor)
