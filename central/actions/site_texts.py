"""What a site says on its stations' screens: help, privacy, whom to call."""

from central.feed import change
from central.models import Site

FIELDS = ("help_texts", "privacy_notice", "support")


def set_site_texts(site: Site) -> None:
    """Keep the texts as they are set in ``site``, and tell them to its stations. They have been checked."""
    with change():
        site.save(update_fields=list(FIELDS))
