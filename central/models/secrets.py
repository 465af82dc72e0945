"""The secrets of sites, sealed under the master key: worth nothing to whoever has the database alone."""

from typing import ClassVar

from django.db import models

from central.models.places import Site


class SealedSecret(models.Model):
    """One secret of a site. Its content never changes once it is made; it is only ever deleted.

    Only ``central.signing.keyring`` reads and writes it.
    """

    class Kind(models.TextChoices):
        """What it is, and what its number counts."""

        SIGNING_KEY = "signing", "the seed of the n-th Ed25519 key, 32 bytes"
        PIN_SALT = "salt", "the site salt of PIN tags, 16 bytes; number 0"
        PEPPER = "pepper", "the pepper of one version of PIN tags, 32 bytes"

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    number = models.BigIntegerField()
    sealed = models.BinaryField()
    """By `central.signing.sealing`, for this site, kind and number and no other."""

    class Meta:
        """Django's options."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["site", "kind", "number"], name="one_secret_a_number"),
        ]

    def __str__(self) -> str:
        return f"{self.site_id} {self.kind} {self.number}"
