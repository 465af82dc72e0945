"""How long it is kept that a form of the office was sent, and what it was answered (`central.office.once`)."""

from central.clock import DAY_S
from central.models import SentForm

ANSWER_KEPT_S = 600
KEPT_S = 2 * DAY_S
"""Longer than a session lasts: whoever sends an older page has to log in first, and is shown it anew."""


def forget_sent_forms(now: int) -> None:
    """Delete answers after `ANSWER_KEPT_S`, and forms after `KEPT_S`."""
    SentForm.objects.filter(at__lt=now - KEPT_S).delete()
    SentForm.objects.filter(at__lt=now - ANSWER_KEPT_S, answer__isnull=False).update(answer=None)
