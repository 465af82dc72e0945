"""What the office does meanwhile, in a program of its own: ``python -m tools.load.changes SIZE SECONDS``.

One change a second somewhere, by the office's own action; for the size WAITING it blocks a key for each line that it
reads, and says when the change was committed.
"""

import random
import sys
import time

import tools.load.django_ready  # noqa: F401  (first: it makes models importable)
from central.actions.keys import block_key, unlock_key
from central.models import Key
from tools.load.sizes import FIRST_KEY, SIZES


def main() -> None:
    """Make changes until the time is over, or until there are no more lines."""
    size = SIZES[sys.argv[1]]
    if size.name == "WAITING":
        for number, _ in enumerate(sys.stdin, FIRST_KEY):
            block_key(Key.objects.select_related("site", "holder").get(site__number=1, number=number))
            print(time.time(), flush=True)
        return
    until = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < until:
        site = 1 + random.randrange(size.sites)  # noqa: S311  (nothing secret)
        number = FIRST_KEY + random.randrange(size.keys)  # noqa: S311
        unlock_key(Key.objects.select_related("site").get(site__number=site, number=number))
        time.sleep(1.0)


if __name__ == "__main__":
    main()
