"""Django's view of the office."""

from django.apps import AppConfig


class OfficeConfig(AppConfig):
    """The daily pages."""

    name = "central.office"
    label = "office"
    verbose_name = "Office"

    def ready(self) -> None:
        """Follow the office's own tables in the audit log, and keep the groups of the roles."""
        from auditlog.registry import auditlog  # noqa: PLC0415  (models exist only now)
        from django.db.models.signals import post_delete, post_save  # noqa: PLC0415

        from central.office import models  # noqa: PLC0415
        from central.office.membership import keep_groups  # noqa: PLC0415

        for followed in (models.Membership, models.Receipt, models.Task, models.OutOfOrder, models.LookUp):
            auditlog.register(followed)
        for signal in (post_save, post_delete):
            signal.connect(keep_groups, sender=models.Membership, dispatch_uid=f"office_groups_{id(signal)}")
