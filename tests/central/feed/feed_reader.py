"""Reads a site's feed as a station does while writers are at work: ``feed_reader.py SITE``, ends at the word ``stop``.

Prints what it holds at last as one JSON object. A process, because it may read another database than the tests' own.
"""

import json
import os
import select
import sys


def main(site_number: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "central.settings"
    import django

    django.setup()
    from central.models import Site
    from tests.central.feed.feed_follower import Follower

    follower = Follower(Site.objects.get(number=site_number).pk)
    print("ready", flush=True)  # noqa: T201
    while True:
        stopping = bool(select.select([sys.stdin], [], [], 0)[0])
        follower.catch_up()
        if stopping:
            break
    names = {number: each["name"] for (type_, number), each in follower.objects.items() if type_ == "area"}
    told = {"is_whole": follower.is_whole(), "names": names, "polls": follower.polls}
    print(json.dumps(told), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]))
