"""Enrols this station with the central server: trades a one-time code for its certificate and secrets.

Writes station.toml and, beside it with mode 0600, the credentials. The code is shown by the central server's admin
page and is valid for 15 minutes.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from pydantic import ValidationError

import config
from config import Argon2Cost, Credentials, Pepper, Profile
from config.models import CentralTable
from station.app import identity_of
from station.commands.command_line import UsageError, add_json, print_answer
from station.errors import StationError
from station.records.base64url import decoded
from station.records.claims import Role
from station.records.keys import SigningKey
from station.secret import Secret
from station.sync.client import CentralClient, CentralUnreachable, Enrolled

EXAMPLE = "example: station enrol --code 7-k3mq9xw2 --url https://central.exempelby.example"
PROFILES: dict[Role, Profile] = {
    Role.SYNC_STATION: "sync-station",
    Role.ACTIVATION_BOX: "activation-box",
    Role.UPDATE_BOX: "update-box",
}
"""The value of ``station.profile`` for the role that central has certified."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--code", required=True, help="the one-time code")
    parser.add_argument("--url", required=True, help="the central server's address")
    parser.add_argument("--name", help="what people call the station (default: Station N)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Enrol, and write both files."""
    path: Path = args.config or Path("station.toml")
    # A code is good for one enrolment: whatever would fail after it is looked at before.
    _check(path, args.url)
    signing = SigningKey.generate()
    enrolled = asyncio.run(_enrol(args.url, Secret(args.code), signing))
    credentials = credentials_of(enrolled, signing)
    config.write_enrolled(
        path,
        number=enrolled.station,
        name=args.name or f"Station {enrolled.station}",
        url=args.url,
        profile=PROFILES[Role(enrolled.role)],
    )
    settings = config.load(path)
    credentials.save(settings.storage.credentials)
    print_answer(
        args,
        f"enrolled as station {enrolled.station}; wrote {path} and {settings.storage.credentials}",
        {
            "station": enrolled.station,
            "site": enrolled.site,
            "profile": settings.station.profile,
            "config": str(path),
            "credentials": str(settings.storage.credentials),
        },
    )
    return 0


def _check(path: Path, url: str) -> None:
    """Check address and folders. Raises UsageError, or ConfigFault for a file that is there and not valid."""
    try:
        CentralTable(url=url)
    except ValidationError:
        # An address may carry a password: it is not repeated.
        raise UsageError("bad_url") from None
    credentials = path.with_name("credentials.json")
    if path.exists():
        credentials = config.load(path).storage.credentials
    for folder in {path.absolute().parent, credentials.absolute().parent}:
        try:
            # Permissions do not tell of a read-only or full disk.
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError:
            raise UsageError("folder_not_writable", path=folder) from None


async def _enrol(url: str, code: Secret[str], signing: SigningKey) -> Enrolled:
    link = CentralClient(url)
    try:
        return await link.enrol(code, signing.public)
    finally:
        await link.close()


def credentials_of(enrolled: Enrolled, signing: SigningKey) -> Credentials:
    """The credentials in central's answer. Raises CentralUnreachable for one that does not fit together."""
    cost = enrolled.pin.argon2
    try:
        credentials = Credentials(
            station=enrolled.station,
            site=enrolled.site,
            role=Role(enrolled.role),
            token=Secret(enrolled.token),
            signing_seed=Secret(signing.seed()),
            certificate=decoded(enrolled.certificate),
            central_keys=tuple(decoded(key) for key in enrolled.central_keys),
            site_salt=decoded(enrolled.pin.site_salt),
            peppers=tuple(
                Pepper(version=each.version, pepper=Secret(decoded(each.pepper))) for each in enrolled.pin.peppers
            ),
            argon2=Argon2Cost(time=cost.time, memory_kib=cost.memory_kib, lanes=cost.lanes),
        )
        identity_of(credentials)
    except (ValueError, StationError):
        # Not "from error": what does not fit may be a secret.
        raise CentralUnreachable("central_answer_malformed", answer="Enrolled") from None
    return credentials
