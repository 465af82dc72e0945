"""Logging in by name and password: every page and command that does so comes through this."""

import logging
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from central.clock import DAY_S, unix_now
from central.doors import limits
from central.doors.addresses import address_of, network_of, wide_network_of
from central.doors.limits import Limit, too_many
from central.doors.log_text import plain
from central.models.limits import LoggedInFrom

KNOWN_FOR_S = 90 * DAY_S

log = logging.getLogger("central.login")


class NameAndPassword(ModelBackend):
    """Django's own, with limits for a name, a network, and the two together.

    Where somebody has logged in before, only wrong passwords for their name from there count: neither those of their
    colleagues behind the same address nor a botnet's for their name keep them out.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: Any
    ) -> Any:
        """Django's protocol. Raises Refused: 429 ``too_many_tries``, 503 ``busy``."""
        if username is None or password is None:
            return None
        counted = _limits_of(request, username)
        if waiting := limits.count_all(counted):
            log.warning("login.refused user=%s address=%s reason=too_many_tries", plain(username), address_of(request))
            raise too_many(waiting)
        try:
            user = super().authenticate(request, username, password)
        except BaseException:
            _give_back(counted)
            raise
        if user is None:
            log.warning("login.failed user=%s address=%s", plain(username), address_of(request))
            return None
        _give_back(counted[1:])
        limits.forget_tries(*counted[0])
        LoggedInFrom.objects.update_or_create(user=user, network=network_of(request), defaults={"at": unix_now()})
        return user


def _limits_of(request: HttpRequest | None, name: str) -> list[tuple[Limit, str]]:
    here = network_of(request)
    own = (limits.NAME_FROM_NETWORK, f"{name}\n{here}")
    since = unix_now() - KNOWN_FOR_S
    # PostgreSQL takes no NUL to look for, and no account has one in its name.
    known = (
        "\0" not in name
        and LoggedInFrom.objects.filter(user__username=name, user__is_active=True, network=here, at__gte=since).exists()
    )
    if known:
        return [own]
    wide = (limits.LOG_IN_WIDE, wide_network_of(request))
    return [own, (limits.LOG_IN_NETWORK, here), wide, (limits.LOG_IN_NAME, name)]


def _give_back(counted: list[tuple[Limit, str]]) -> None:
    for limit, who in counted:
        limits.give_back(limit, who)
