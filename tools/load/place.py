"""Where it is measured: a seeded database, kept under ``build/`` for the next run, and ``central serve`` beside it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tools.load import cluster
from tools.load.sizes import Size

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build" / "load"
MADE_OF = ("central/migrations/*.py", "tools/load/seed.py", "tools/load/log.py")
"""What decides, with the size, how a seeded database looks."""
SEEDED = "central"
RUN = "run"
SEED_OPTIONS = ("max_connections=100", "fsync=off", "shared_buffers=1GB", "max_wal_size=8GB", "full_page_writes=off")
RUN_OPTIONS = ("max_connections=100", "shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=30min")
"""As docs/how-to/run-central.md has them; what was answered as accepted is on the disk."""
LOG_DAYS = 90
# As a program of its own: only that needs Django.
FILL_LOG = """
import sys, time
import tools.load.django_ready
from tools.load.log import fill_log
fill_log(int(sys.argv[1]), int(sys.argv[2]), int(time.time()))
"""


@dataclass(frozen=True)
class Database:
    """A seeded database, the copy of this run, and the folder with its sites' secrets."""

    data: Path
    url: str
    """As DATABASE_URL; empty: the SQLite file in ``data``."""
    programs: Sequence[int] = ()
    """The processes of its server."""

    @property
    def environment(self) -> dict[str, str]:
        """Of whoever works with it."""
        rest = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "CENTRAL_TLS"}}
        rest["CENTRAL_DATA"] = str(self.data)
        return rest | ({"DATABASE_URL": self.url} if self.url else {})


def say(text: str) -> None:
    """Say on standard error what goes on: what is asked for is the table."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def database(size: Size, events: int = 0, *, sqlite: bool) -> Iterator[Database]:
    """A fresh copy of the seeded database of that size, seeded now if it is not kept from an earlier run.

    ``events``: how many the log has already, of `LOG_DAYS` days; on PostgreSQL.
    """
    made_of = sorted(path for pattern in MADE_OF for path in ROOT.glob(pattern))
    what = [repr(size).encode(), str(events or "").encode(), *(path.read_bytes() for path in made_of)]
    fingerprint = hashlib.sha256(b"".join(what)).hexdigest()[:8]
    kept = KEPT / f"{size.name}-{'sqlite' if sqlite else 'postgresql'}-{fingerprint}"
    done = kept / "seeded"
    if not done.exists():
        shutil.rmtree(kept, ignore_errors=True)
        (kept / "data").mkdir(parents=True)
        with _engine(kept, SEED_OPTIONS, sqlite=sqlite) as empty:
            _seed(empty, size, events)
        done.touch()
    with ExitStack() as left:
        engine = left.enter_context(_engine(kept, RUN_OPTIONS, sqlite=sqlite))
        if sqlite:
            folder = Path(left.enter_context(tempfile.TemporaryDirectory(prefix="central-load-"))) / "data"
            shutil.copytree(engine.data, folder)
            yield replace(engine, data=folder)
        else:
            with psycopg.connect(engine.url.replace("/central?", "/postgres?"), autocommit=True) as link:
                link.execute(f"DROP DATABASE IF EXISTS {RUN}")
                link.execute(f"CREATE DATABASE {RUN} TEMPLATE {SEEDED} STRATEGY FILE_COPY")
                link.execute("CHECKPOINT")
            yield replace(engine, url=engine.url.replace("/central?", f"/{RUN}?"))


@contextmanager
def _engine(kept: Path, options: Sequence[str], *, sqlite: bool) -> Iterator[Database]:
    data = kept / "data"
    if sqlite:
        yield Database(data, "")
        return
    with cluster.running(kept / "postgresql", options) as (url, process):
        yield Database(data, url, [process])


def _seed(empty: Database, size: Size, events: int) -> None:
    began = time.monotonic()
    # SQLite has one writer; else two share the work.
    shares = min(size.sites, 1 if not empty.url else os.cpu_count() or 1)
    bounds = [size.sites * part // shares for part in range(shares + 1)]
    say(f"seeding {size.name}: {size.sites} site(s) of {size.objects} objects, once")
    works = [
        subprocess.Popen(
            [sys.executable, "-m", "tools.load.seed", size.name, str(first + 1), str(last)],
            cwd=ROOT,
            env=empty.environment,
        )
        for first, last in pairwise(bounds)
    ]
    if any(work.wait() for work in works):
        raise SystemExit("seeding failed")
    if events:
        say(f"filling the log with {events} events")
        words = [sys.executable, "-c", FILL_LOG, str(events), str(LOG_DAYS)]
        subprocess.run(words, cwd=ROOT, env=empty.environment, check=True)
    if empty.url:
        with psycopg.connect(empty.url, autocommit=True) as link:
            link.execute("VACUUM ANALYZE")
    took_s = time.monotonic() - began
    say(f"seeded {size.sites * size.objects} objects in {took_s:.0f} s")


def make_permits_due(place: Database) -> None:
    """Have every permit due to be signed anew, as after weeks without the scheduler; on PostgreSQL."""
    with psycopg.connect(place.url, autocommit=True) as link:
        link.execute("UPDATE central_permit SET renew_at = 1")
        link.execute("VACUUM ANALYZE central_permit")


def signed_anew(place: Database) -> str:
    """How many of those have been signed since, in words."""
    with psycopg.connect(place.url, autocommit=True) as link:
        found = link.execute("SELECT count(*) FILTER (WHERE renew_at > 1), count(*) FROM central_permit").fetchone()
    assert found is not None
    return f"Of {found[1]} permits that were due {found[0]} have been signed anew."


def log_size(place: Database) -> str:
    """What the log takes on the disk, in words; nothing on SQLite."""
    if not place.url:
        return ""
    with psycopg.connect(place.url, autocommit=True) as link:
        tables = "FROM pg_class WHERE relname LIKE 'central\\_event%' AND relkind = 'r'"
        found = link.execute(f"SELECT sum(pg_total_relation_size(oid)) {tables}").fetchone()
        count = link.execute("SELECT count(*) FROM central_event").fetchone()
    assert found is not None
    assert count is not None
    return f"The log: {count[0]} events, {float(found[0]) / max(1, count[0]):.0f} bytes each with their indexes."


def cursors_of(place: Database) -> dict[int, str]:
    """The cursor of a station that has everything, by the number of its site."""
    command = [sys.executable, "-m", "tools.load.facts"]
    told = subprocess.run(command, cwd=ROOT, env=place.environment, check=True, capture_output=True, text=True)
    return {int(site): cursor for site, cursor in json.loads(told.stdout).items()}


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    process: subprocess.Popen[str]
    host: str
    port: int


@contextmanager
def served(of: Database, workers: int, *, tls: bool = False) -> Iterator[Served]:
    """`central serve` on a free port, with so many workers if it has any. ``tls``: a proxy in front of it says so."""
    command = [sys.executable, "-m", "central.cli", "serve"]
    help_text = subprocess.run([*command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    if of.url and "--workers" in help_text:
        command += ["--workers", str(workers)]
    environment = of.environment | ({"CENTRAL_TLS": "1", "CENTRAL_HOSTS": "central.example"} if tls else {})
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, "--port", "0"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
        assert process.stdout
        try:
            line = process.stdout.readline()
            if "serving on http://" not in line:
                log.seek(0)
                raise SystemExit(f"central does not serve: {line}{log.read().decode()}")
            address = urlsplit(line.split()[-1])
            yield Served(process, address.hostname or "", address.port or 0)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
            process.stdout.close()
            log.seek(0)
            if said := log.read().decode("utf-8", "replace"):
                say(said[-4000:])
