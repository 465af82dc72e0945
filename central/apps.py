"""Django's view of this package: signals and the audit log are connected when it is ready."""

from django.apps import AppConfig


class CentralConfig(AppConfig):
    """The only application of this project."""

    name = "central"
    verbose_name = "Sync stations"

    def ready(self) -> None:
        """Connect the change feed and the audit log to the models."""
        from central import audit, selfcheck  # noqa: PLC0415  (models exist only now)
        from central.feed import watching  # noqa: PLC0415
        from central.issuing import settle  # noqa: PLC0415

        watching.connect()
        settle.connect()
        audit.register()
        selfcheck.register()
