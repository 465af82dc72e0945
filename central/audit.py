"""Who changed what: django-auditlog on what people edit. Records, tags, hashes and events are left out."""

from auditlog.registry import auditlog

from central.models import Area, Holder, Key, Lock, Permission, Site, Station, Unit


def register() -> None:
    """Have the audit log follow the models that the admin page edits."""
    auditlog.register(Site, exclude_fields=["public_key", "signing_key"])
    auditlog.register(Unit)
    auditlog.register(Area)
    auditlog.register(Lock)
    auditlog.register(Holder, exclude_fields=["pin_tag"])
    auditlog.register(Permission, m2m_fields={"areas", "locks"})
    auditlog.register(Key, exclude_fields=["record", "log_generation", "log_seq"])
    auditlog.register(
        Station,
        exclude_fields=["public_key", "certificate", "certificate_issued", "certificate_expires", "last_contact"],
    )
