"""Whom to telephone, for what is printed: at this hour, as the stations' screens choose it, or at any."""

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
    return {} if line is None else _in_words(line)


def telephones(site: Site) -> list[dict[str, str]]:
    """As `telephone`, of every line; one that is there at several hours once."""
    said = {(line["phone"], line["text"]): line for line in map(_in_words, site.support)}
    return list(said.values())


def _in_words(line: dict[str, Any]) -> dict[str, str]:
    texts = line["text"]
    language = (get_language() or "en").partition("-")[0]
    return {"phone": line["phone"], "text": texts.get(language) or next(iter(texts.values()), "")}
