"""Who changed what: django-auditlog on what people edit. Records, tags, hashes and events are left out."""

from auditlog.registry import auditlog
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from central.models import (
    Area,
    CentralKey,
    EnrolmentCode,
    Holder,
    Key,
    Lock,
    LookUp,
    Membership,
    OutOfOrder,
    Permission,
    ProvisionCode,
    Receipt,
    Site,
    Station,
    Task,
    TemporaryAccess,
    Unit,
)


def register() -> None:
    """Have the audit log follow the models that people and the API change, and the accounts that may."""
    auditlog.register(Site, exclude_fields=["public_key", "look_ups"])
    auditlog.register(Unit, m2m_fields={"usual_areas"})
    auditlog.register(Area)
    auditlog.register(Lock)
    auditlog.register(Holder, exclude_fields=["pin_tag", "pin_version"])
    auditlog.register(Permission, m2m_fields={"areas", "locks"})
    auditlog.register(TemporaryAccess, m2m_fields={"areas"})
    auditlog.register(
        Key,
        exclude_fields=[
            *("record", "key_public", "record_carried"),
            *("wrong_pins", "activated_at", "locked_by", "locked_noted_at"),
        ],
    )
    auditlog.register(
        Station,
        exclude_fields=["public_key", "certificate", "certificate_issued", "certificate_expires", "last_contact"],
    )
    for model in (Membership, Receipt, Task, OutOfOrder, LookUp):
        auditlog.register(model)
    auditlog.register(CentralKey, exclude_fields=["public_key", "record"])
    # That a code was made and used; the code itself is nowhere.
    auditlog.register(EnrolmentCode, exclude_fields=["secret_hash", "used_public_key", "tries"])
    auditlog.register(ProvisionCode, exclude_fields=["code_hash", "used_key_public"])
    # That a password was changed, and by whom; of the hash nothing.
    auditlog.register(
        get_user_model(),
        exclude_fields=["last_login"],
        mask_fields=["password"],
        mask_callable="central.operations.audit.nothing_of",
        m2m_fields={"groups", "user_permissions"},
    )
    auditlog.register(Group, m2m_fields={"permissions"})


def nothing_of(_value: str) -> str:
    """What the audit log keeps of a value that is nobody's to read."""
    return "***"
