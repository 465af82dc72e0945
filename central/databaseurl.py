"""``DATABASE_URL``: which database server is used instead of the SQLite file of the data folder.

``postgresql://user:password@host:port/name?option=value``; a socket's folder as ``?host=/run/postgresql``. Options are
libpq's (``sslmode=verify-full``, ``connect_timeout``). Without a password libpq reads its own password file.
"""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

SCHEMES = ("postgresql", "postgres")


def settings_of(url: str) -> dict[str, Any]:
    """Django's settings of that database. Raises ValueError, without the address: it may hold a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ValueError("DATABASE_URL cannot be read") from None
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in SCHEMES or not name or "/" in name:
        raise ValueError("DATABASE_URL is not postgresql://user@host/name")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or (parts.hostname or ""),
        "PORT": str(port or options.pop("port", "")),
        # A server that was restarted is noticed before a request meets a dead connection.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }
