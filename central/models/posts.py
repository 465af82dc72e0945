"""What was sent from the office's pages: so that nothing is done twice, and a mistake can be taken back."""

from django.conf import settings
from django.db import models

from central.models.places import Site


class SentForm(models.Model):
    """A form that somebody has sent. The same one again is answered as before, and does nothing."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    """Of the form's own number, which only the page with the form has."""
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    content = models.CharField(max_length=64)
    """SHA-256 of the form's number, where it was sent to, and what was in it."""
    at = models.BigIntegerField(db_index=True)
    answer = models.BinaryField(null=True, default=None)
    """Sealed under the form's number; None while it is being done, and once nobody may read it any more."""

    def __str__(self) -> str:
        return f"{self.sha256[:8]}"


class Undoable(models.Model):
    """Something that was done and can be taken back for a while."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    what = models.CharField(max_length=30)
    """The name of the act, as `central.actions.undo` has it."""
    number = models.BigIntegerField()
    """Of what it was done to: the database's own."""
    before = models.JSONField(default=dict)
    """What it was before."""
    seen = models.TextField()
    """What the act has left behind (`central.office.seen`): whatever has changed since is not undone."""
    at = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        # Numbers only: the audit log keeps no names.
        return f"{self.what} {self.number}"
