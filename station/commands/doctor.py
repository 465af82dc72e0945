"""Checks what a technician would: a line for each thing, `ok`, `warn` or `FAIL`, with the mend.

It works beside a running kiosk, and leaves everything as it is. Exit code 1 when something FAILs.
"""

import argparse
from collections.abc import Sequence

import config
from config import ConfigFault, Credentials, Settings
from station import name_lookups
from station.commands.command_line import FAILED, add_json, print_answer
from station.commands.doctor_checks.central import check_central
from station.commands.doctor_checks.certificate import check_certificate
from station.commands.doctor_checks.clock import check_clock
from station.commands.doctor_checks.database import StoredFacts, check_database, read_stored_facts
from station.commands.doctor_checks.disk import check_disk
from station.commands.doctor_checks.finding import Finding, Level, fail, ok
from station.commands.doctor_checks.key_reader import check_key_reader
from station.commands.doctor_checks.kiosk import check_kiosk, check_kiosk_status
from station.commands.inserted_key import trusted_central_keys
from station.commands.status import kiosk_runs
from station.errors import StationError
from station.records.keys import PublicKey
from station.runtime import status_file

EXAMPLE = "example: station doctor --config /etc/station/station.toml"

_EXPIRES = "certificate_expires"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Check everything that can be checked, whatever fails."""
    path = config.find(args.config)
    try:
        settings = config.load(path)
    except ConfigFault as error:
        mend = "station config check says what is expected; station enrol makes a new file"
        findings = [fail("configuration", str(problem), mend) for problem in error.problems]
    else:
        findings = [ok("configuration", f"{path} is valid, version {settings.version}")]
        findings += name_lookups.run(_check(settings))
    failed = any(finding.level is Level.FAIL for finding in findings)
    rows = [{"check": f.check, "level": f.level.value, "what": f.what, "mend": f.mend} for f in findings]
    print_answer(args, "\n".join(map(str, findings)), {"ok": not failed, "checks": rows})
    return FAILED if failed else 0


async def _check(settings: Settings) -> list[Finding]:
    # Before the database is opened, which makes files, and mends the mode of its own.
    disk = check_disk(settings)
    running = kiosk_runs(settings.storage.database)
    status_path = settings.storage.database.with_name(status_file.FILE_NAME)
    status = status_file.of_running_kiosk(status_path) if running else None
    if running:
        stored = StoredFacts((status or {}).get(_EXPIRES))
    else:
        stored = await read_stored_facts(settings)
    credentials, found = _check_credentials(settings, stored.certificate_expires)
    trusted_keys = await _trusted_keys(settings, credentials) if credentials is not None else ()
    found += await check_key_reader(settings, status)
    central = await check_central(settings, credentials, trusted_keys)
    found += central
    answers = any(finding.check == "time" and finding.level is Level.OK for finding in central)
    found.append(check_clock(settings, status, central_answers=answers, memory=stored.clock))
    found += await check_database(settings, disk, in_use=running)
    if status is not None:
        found += check_kiosk_status(settings, status)
    found.append(check_kiosk(settings, status, in_use=running))
    return found


async def _trusted_keys(settings: Settings, credentials: Credentials) -> Sequence[PublicKey]:
    try:
        return await trusted_central_keys(settings, credentials)
    except StationError:
        # Its certificate is none: said already, and no reason to end here.
        return credentials.central_keys


def _check_credentials(settings: Settings, expires: int | None) -> tuple[Credentials | None, list[Finding]]:
    path = settings.storage.credentials
    try:
        credentials = Credentials.load(path)
    except ConfigFault as error:
        mend = f"chmod 600 {path}" if error.code == "credentials_exposed" else "station enrol, with a new code"
        return None, [fail("credentials", str(problem), mend) for problem in error.problems]
    found = [ok("credentials", f"{path} is for its owner alone")]
    return credentials, [*found, *check_certificate(settings, credentials, expires)]
