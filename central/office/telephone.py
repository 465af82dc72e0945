"""Whom to telephone at this hour, for what is printed: as the stations' screens choose it."""

from typing import Any

from django.utils.translation import get_language

from central.clock import unix_now
from central.models import Site


def telephone(site: Site) -> dict[str, str]:
    """``phone``, and ``text`` in the reader's language: of the line that is answered now.

    Where nobody is, the one that is there on holidays; else the first. Empty for a site without any.
    """
    local = site.local_time(unix_now())
    minute = local.hour * 60 + local.minute

    def rank(line: dict[str, Any]) -> int:
        is_answered = line["days"] >> local.weekday() & 1 and line["from"] <= minute < line["to"]
        return 0 if is_answered else 1 if line["holidays"] else 2

    line = min(site.support, key=rank, default=None)
    if line is None:
        return {}
    texts = line["text"]
    language = (get_language() or "en").partition("-")[0]
    return {"phone": line["phone"], "text": texts.get(language) or next(iter(texts.values()), "")}
