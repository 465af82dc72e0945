"""Django's settings. Everything that differs between installations comes from the environment.

``CENTRAL_DATA`` the data folder; ``CENTRAL_HOSTS`` further host names, with commas; ``CENTRAL_TLS=1`` when a proxy in
front speaks TLS and sets ``X-Forwarded-Proto`` and ``X-Forwarded-For``; ``DATABASE_URL`` a PostgreSQL database instead
of the SQLite file.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from central import datafolder
from central.errors import CentralError

POSTGRESQL_SCHEMES = ("postgresql", "postgres")


SERVER_LIMITS = {
    "statement_timeout": "30s",
    # Whoever holds a lock and does nothing (its machine or process is frozen) is ended, before those who wait for it
    # give up. Of several frozen ones the next may then get it: all are through after the two together. Not shorter: a
    # large import takes seconds between two statements.
    "idle_in_transaction_session_timeout": "8s",
    "lock_timeout": "10s",
    # A machine that is gone without a word: after 10 s of silence, 5 times each 2 s; or with data on its way, 20 s.
    "tcp_keepalives_idle": "10s",
    "tcp_keepalives_interval": "2s",
    "tcp_keepalives_count": "5",
    "tcp_user_timeout": "20s",
}
"""What the server ends by itself. Whoever meets it answers 503, and is asked again."""
OWN_LIMITS = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "2",
    "keepalives_count": "5",
    "tcp_user_timeout": "20000",
}
"""The same from this side, in seconds and milliseconds: for each host, where there are several."""


def database_of(url: str) -> dict[str, Any]:
    """Django's settings of ``postgresql://user:password@host:port/name?option=value``.

    Several hosts have commas between them (``a:5432,b:5433``): the first is taken that is there, with
    ``target_session_attrs=read-write`` the one that is no standby. A socket's folder is ``?host=/run/postgresql``.
    Options are libpq's (``sslmode=verify-full``, ``connect_timeout``); without a password libpq reads its own password
    file. Raises ValueError without the address: it may hold a password.
    """
    try:
        parts = urlsplit(url)
        hosts, ports = _hosts(parts.netloc.rpartition("@")[2])
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ValueError("DATABASE_URL cannot be read") from None
    name = unquote(parts.path.removeprefix("/"))
    limits = " ".join(f"-c {limit}={value}" for limit, value in SERVER_LIMITS.items())
    if parts.scheme not in POSTGRESQL_SCHEMES or not name or "/" in name:
        raise ValueError("DATABASE_URL is not postgresql://user@host/name")
    return {
        "ENGINE": "central.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or hosts,
        "PORT": options.pop("port", "") or ports,
        # A server that was restarted is noticed before a request meets a dead connection.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        # Only what asks for it is prepared (`central.postgresql`), and then at once.
        "OPTIONS": OWN_LIMITS
        | options
        | {"options": f"{limits} {options.get('options', '')}".strip(), "prepare_threshold": 0},
    }


def _hosts(text: str) -> tuple[str, str]:
    """``a:1,[::1]:2`` as libpq has it: ``a,::1`` and ``1,2``. Raises ValueError."""
    each = [urlsplit(f"//{host}") for host in text.split(",")]
    ports = ",".join(str(host.port or "") for host in each)
    return ",".join(host.hostname or "" for host in each), ports if ports.strip(",") else ""


DATA_FOLDER = datafolder.folder()
try:
    SECRET_KEY = datafolder.derived_key("django").hex()
except CentralError:
    # Nothing that needs it works before there is a master key; Django refuses an empty one by itself.
    SECRET_KEY = ""

DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *filter(None, os.environ.get("CENTRAL_HOSTS", "").split(","))]
USE_TLS = os.environ.get("CENTRAL_TLS") == "1"

INSTALLED_APPS = [
    "central.operations.apps.OperatorAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "auditlog",
    "central",
    "central.office",
    "central.operations.apps.OperationsConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "central.api.http.ApiMiddleware",
    "central.security.HeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "central.doors.refusals.RefusalsMiddleware",
    "central.doors.sessions.SessionEndMiddleware",
    "central.office.passwords.OwnPasswordMiddleware",
    "central.doors.keeper.DoorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "auditlog.middleware.AuditlogMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "central.office.banner.waiting_stations",
            ]
        },
    }
]
ROOT_URLCONF = "central.urls"
WSGI_APPLICATION = "central.wsgi.application"

DATABASES: dict[str, Any] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_FOLDER / "central.sqlite3",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # Deferred transactions that turn into writers fail with SQLITE_BUSY_SNAPSHOT; these wait their turn.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: an event that was acknowledged is on the disk. And what is deleted is overwritten.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
        },
    }
}
if DATABASE_URL := os.environ.get("DATABASE_URL"):
    DATABASES["default"] = database_of(DATABASE_URL)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "central.office.passwords.NoGuessablePassword"},
    {"NAME": "central.office.passwords.OwnPassword"},
]
AUTHENTICATION_BACKENDS = ["central.doors.login.NameAndPassword"]
PASSWORD_HASHERS = ["central.doors.hashing.FewAtOnceArgon2Hasher"]

LANGUAGE_CODE = "en"
LANGUAGES = [("sv", "Svenska"), ("da", "Dansk"), ("nb", "Norsk bokmål"), ("fi", "Suomi"), ("en", "English")]
# Before the admin's own, which has other words for some of the office's messages.
LOCALE_PATHS = [Path(__file__).parent / "office" / "locale"]
TIME_ZONE = "Europe/Stockholm"
USE_TZ = True
USE_I18N = True
STATIC_URL = "static/"
LOGIN_URL = "office:login"
LOGIN_REDIRECT_URL = "office:start"

# The API's own limit is 1 MiB of decompressed body; forms are far smaller.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_AGE = SESSION_LIMIT_S = 12 * 3600
"""However busy: a shift's work ends."""
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_IDLE_S = 45 * 60
"""A page that nobody has touched for so long asks for the password again."""
SESSION_COOKIE_SECURE = USE_TLS
CSRF_COOKIE_SECURE = USE_TLS
SECURE_HSTS_SECONDS = 31536000 if USE_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = USE_TLS
SECURE_SSL_REDIRECT = USE_TLS
# A proxy asks for this itself, from its own machine.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^api/v1/healthz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if USE_TLS else None
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "station.plain_text.PlainFormatter", "fmt": "%(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # Answers of 4xx are the API's daily bread; its errors say what was wrong to whom it concerns.
    "loggers": {
        "django.request": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        # A wrong host is answered 400; with a traceback for each, anybody could fill the log.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
