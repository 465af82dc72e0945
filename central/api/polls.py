"""Polls of ``/mirror/changes`` that found nothing and may wait for something, and their answers when they have waited.

A call's own thread only notes that its poll may wait (`let_wait`). Whoever serves keeps it without a thread
(`central.serving.waiting`), and has many answered at once: what they share is read once, and each gets its own head.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import Error as DatabaseFault
from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from central.actions.restored import is_open_to_stations
from central.api.http import closed, json_answer, refusal, unavailable
from central.clock import unix_now
from central.errors import Refused
from central.feed import pages
from central.feed.cursors import Cursor
from central.feed.pages import Asked, Found, Page
from central.feed.reading import Scope
from central.models import StationToken
from station.records.base64url import encoded

MAY_WAIT = "central.may_wait"
"""In a request's environment: the list to which a poll that may wait is added. Without it none waits."""

log = logging.getLogger("central.api")


@dataclass(frozen=True, eq=False)
class Poll:
    """One call of ``/mirror/changes``."""

    asked: Asked
    since: Cursor
    limit: int
    token: str
    """The fingerprint of the token that was shown."""
    takes_gzip: bool

    def answer(self, page: Page) -> HttpResponse:
        """In the shape that the contract has."""
        rest: dict[str, Any] = {
            "removes": [{"type": type_, "id": number} for type_, number in page.removes],
            "cursor": page.cursor.text(),
            "more": page.more,
            "down": list(page.down),
        }
        if page.head is not None:
            rest["head"] = encoded(page.head)
        body = f'{{"upserts":[{",".join(page.upserts)}],{json.dumps(rest)[1:]}'.encode()
        return json_answer(body, takes_gzip=self.takes_gzip)


class MayWait(NamedTuple):
    """A poll that found nothing."""

    poll: Poll
    wait_s: int
    revision: int
    """Of the site, when it was looked at: a higher one is news."""


class Waited(NamedTuple):
    """A poll that has waited."""

    poll: Poll
    is_over: bool
    """It gets its answer also where there is still nothing."""


class StillNothing(NamedTuple):
    """What became known to the site up to that revision does not concern this poll."""

    revision: int


class _Question(NamedTuple):
    """What many polls ask alike."""

    scope: Scope
    since: Cursor
    limit: int
    key: int | None


def let_wait(request: HttpRequest, poll: Poll, wait_s: int, revision: int) -> None:
    """This poll may be kept for ``wait_s`` seconds in place of being answered now."""
    kept = request.META.get(MAY_WAIT)
    if kept is not None:
        kept.append(MayWait(poll, wait_s, revision))


def answers_of(all_waited: Sequence[Waited]) -> list[HttpResponse | StillNothing]:
    """The answer of each, in their order. Whose token has ended meanwhile is refused. Raises nothing."""
    try:
        return _answers_of(all_waited)
    except DatabaseFault as error:
        log.error("database.failed %s polls=%d", type(error).__name__, len(all_waited))  # noqa: TRY400  (one line)
    except Exception:
        log.exception("polls.failed")
    return [refusal(unavailable()) for _ in all_waited]


def _answers_of(all_waited: Sequence[Waited]) -> list[HttpResponse | StillNothing]:
    if not is_open_to_stations(unix_now()):
        return [refusal(closed()) for _ in all_waited]
    good = _good_tokens({waited.poll.token for waited in all_waited})
    found: dict[_Question, Found | Refused] = {}
    answers: list[HttpResponse | StillNothing] = []
    for poll, is_over in all_waited:
        if poll.token not in good:
            answers.append(refusal(Refused(401, "unauthorized", "no or a wrong token", {"WWW-Authenticate": "Bearer"})))
            continue
        question = _Question(poll.asked.scope, poll.since, poll.limit, poll.asked.key)
        if question not in found:
            found[question] = _found(question)
        news = found[question]
        if isinstance(news, Refused):
            answers.append(refusal(news))
        elif not news.rows and not is_over:
            answers.append(StillNothing(news.state.revision))
        else:
            answers.append(poll.answer(pages.page(poll.asked, news)))
    return answers


def _found(question: _Question) -> Found | Refused:
    try:
        return pages.find(question.scope, question.since, question.limit, question.key)
    except Refused as error:
        return error


def _good_tokens(tokens: set[str]) -> set[str]:
    found = StationToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=unix_now()), sha256__in=tokens)
    return set(found.filter(station__stolen=False).values_list("sha256", flat=True))
