"""What the audit log keeps beside a change."""

from auditlog.context import set_extra_data
from django.db.models.signals import pre_save

from central.actions.audit_notes import noting


def test_what_is_noted_leaves_no_listener_behind() -> None:
    before = len(pre_save.receivers)
    # As a request does it.
    with set_extra_data({"remote_addr": "192.0.2.1"}), noting(station=3):
        assert len(pre_save.receivers) == before + 2
    assert len(pre_save.receivers) == before
