"""The newest blocklist of a site."""

from django.db import models

from central.models.base import Content, Mirrored, base64url
from central.models.site import Site


class Blocklist(Mirrored):
    """The signed list of blocked keys and stations."""

    MIRROR_TYPE = "blocklist"

    site = models.OneToOneField(Site, on_delete=models.CASCADE, primary_key=True)
    version = models.BigIntegerField()
    renew_at = models.BigIntegerField(db_index=True)
    record = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.site} {self.version}"

    def mirror_number(self) -> int:
        """A station knows one only."""
        return 0

    def mirror_content(self) -> Content:
        """See the API's contract."""
        return {"version": self.version, "record": base64url(bytes(self.record))}
