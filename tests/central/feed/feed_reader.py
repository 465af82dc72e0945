"""Reads a site's feed as a station does while writers are at work: ``feed_reader.py SITE``, ends at the word ``stop``.

Prints what it holds at last, and what a snapshot holds, as one JSON object. A process, because it may read another
database than the tests' own.
"""

import json
import os
import select
import sys
from typing import Any


def main(site_number: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "central.settings"
    import django

    django.setup()
    from central.feed import pages
    from central.models import Site

    site = Site.objects.get(number=site_number).pk
    mirror: dict[str, int] = {}
    revisions: list[int] = []
    since, polls = 0, 0
    print("ready", flush=True)  # noqa: T201
    while True:
        stopping = bool(select.select([sys.stdin], [], [], 0)[0])
        while True:
            found = pages.changes(site, since, 7)
            for text in found.upserts:
                item = json.loads(text)
                mirror[f"{item['type']}:{item['id']}"] = item["revision"]
                revisions.append(item["revision"])
            for type_, number in found.removes:
                mirror.pop(f"{type_}:{number}", None)
            assert found.revision >= since
            since, polls = found.revision, polls + 1
            if not found.more:
                break
        if stopping:
            break
    rows: list[dict[str, Any]] = json.loads(b"".join(pages.snapshot(site)))["objects"]
    there = {f"{row['type']}:{row['id']}": row["revision"] for row in rows}
    names = {row["id"]: row["name"] for row in rows if row["type"] == "area"}
    told = {"mirror": mirror, "there": there, "names": names, "count": found.count, "polls": polls}
    print(json.dumps(told | {"in_order": revisions == sorted(revisions)}), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]))
