"""Giving a holder a PIN. It is returned once, to be shown once; only its tag is kept."""

from central.clock import unix_now
from central.feed import change
from central.issuing import keyring
from central.models import Holder
from central.pins import pin_tag, random_pin


def new_pin(holder: Holder) -> str:
    """A new PIN for the holder, unlike anybody else's of the site. The permits are signed anew with its tag."""
    secrets = keyring.pin_secrets(holder.site)
    while True:
        pin = random_pin()
        # Computed outside the transaction: it takes 30 ms, and nobody should wait for it.
        tag = pin_tag(pin, secrets.site_salt, secrets.pepper)
        with change():
            if not Holder.objects.filter(site=holder.site, pin_tag=tag).exists():
                holder.pin_tag, holder.pin_at = tag, unix_now()
                # Neither tag nor PIN is in the audit log: that there is a new one is told by its time.
                holder.save(update_fields=["pin_tag", "pin_at"])
                return pin
