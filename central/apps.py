"""Django's view of the models: the change feed is told of what is saved."""

from django.apps import AppConfig


class CentralConfig(AppConfig):
    """The application that has the models; `central.office` and `central.operations` have pages and commands."""

    name = "central"
    verbose_name = "Sync stations"

    def ready(self) -> None:
        """Connect the change feed, the groups of the roles and the beginnings of sessions."""
        from central.doors.sessions import note_beginnings  # noqa: PLC0415
        from central.feed.change import watch_models  # noqa: PLC0415  (models exist only now)
        from central.models.users import follow_memberships  # noqa: PLC0415

        watch_models()
        follow_memberships()
        note_beginnings()
