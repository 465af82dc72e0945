"""The cursor of whoever has everything, by site; printed by a program of its own: only that needs Django."""

import json

import tools.load.django_ready  # noqa: F401  (first: it makes models importable)
from central.feed.cursors import newest_cursor
from central.models import Site

if __name__ == "__main__":
    print(json.dumps({site.number: newest_cursor(site.pk) for site in Site.objects.all()}))
