from django.apps import AppConfig


class TrackingConfig(AppConfig):
    name = "tracking"

    def ready(self) -> None:
        from tracking.domain import audit, callers  # noqa: PLC0415 -- app ready

        audit.watch()
        callers.watch()
