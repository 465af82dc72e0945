"""One of several writing processes: ``feed_writer.py SITE WRITER ROUNDS`` changes, adds and removes areas of a site."""

import os
import sys


def main(site_number: int, writer: int, rounds: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "central.settings"
    import django

    django.setup()
    from central.feed import change
    from central.models import Area, Site

    site = Site.objects.get(number=site_number)
    # All begin together.
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    for turn in range(rounds):
        with change():
            area = Area.objects.filter(site=site, number=100 + writer).first() or Area(site=site, number=100 + writer)
            area.name = f"{writer}.{turn}"
            area.save()
            Area(site=site, number=1000 + writer * rounds + turn, name="new").save()
        if turn % 3 == 2:
            with change():
                Area.objects.filter(site=site, number=1000 + writer * rounds + turn - 1).delete()


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
