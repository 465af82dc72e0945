"""Enrols this station with the central server: trades a one-time code for its certificate and secrets.

Writes station.toml and, beside it with mode 0600, the credentials. The code is shown by the central server's admin
page and is valid for 15 minutes; if an answer got lost meanwhile, the same command asks for it again.
"""

import argparse
import tempfile
from pathlib import Path

from pydantic import ValidationError

import config
from config import Argon2Cost, ConfigFault, Credentials, Pepper, Problem, Profile
from config.enrolment_key import forget_seed, keep_seed, kept_seed
from config.models import CentralTable
from station import name_lookups
from station.app import identity_of, trust_of
from station.commands.command_line import UsageError, add_json, print_answer
from station.errors import StationError
from station.records.base64url import decoded
from station.records.claims import Role
from station.records.keys import SigningKey
from station.records.proofs import enrolment_proof
from station.secret import Secret
from station.sync.client import CentralClient, CentralRefused, CentralUnreachable, Enrolled
from station.sync.pin_renewal import pin_secrets
from station.sync.server_trust import ServerTrust

EXAMPLE = "example: station enrol --code 7-k3mq9xw2 --url https://central.exempelby.example"
PROFILES: dict[Role, Profile] = {
    Role.SYNC_STATION: "sync-station",
    Role.ACTIVATION_BOX: "activation-box",
    Role.UPDATE_BOX: "update-box",
}
"""The value of ``station.profile`` for the role that central has certified."""
AGAIN = (
    "central has made this station {number}, of profile {profile}; set what is named above, then give the same command "
    "again within the code's 15 minutes: the code and the key pair are kept, and nothing is used up"
)


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
    folder, trust = _check(path, args.url)
    code = Secret(str(args.code))
    signing = _key_for(code, folder)
    enrolled = name_lookups.run(enrol(args.url, code, signing, trust))
    credentials = credentials_of(enrolled, signing)
    _write_config(path, enrolled, args.name or f"Station {enrolled.station}", args.url)
    settings = config.load(path)
    credentials.save(settings.storage.credentials)
    forget_seed(folder)
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


def _write_config(path: Path, enrolled: Enrolled, name: str, url: str) -> None:
    """Write what central has answered into ``station.toml``.

    Raises ConfigFault where the file does not fit what the station has become, as a box whose clock is not trusted.
    """
    profile = PROFILES[Role(enrolled.role)]
    try:
        config.write_enrolled(path, number=enrolled.station, name=name, url=url, profile=profile)
    except ConfigFault as fault:
        again = Problem(str(path), AGAIN.format(number=enrolled.station, profile=profile))
        raise ConfigFault(fault.code, [*fault.problems, again]) from None


def _key_for(code: Secret[str], folder: Path) -> SigningKey:
    """The key pair to enrol with: that of the try before, whose answer may have been lost, or a new one.

    Raises ConfigFault.
    """
    # The part before the dash is the enrolment's number, which is no secret.
    enrolment = code.reveal().partition("-")[0]
    seed = kept_seed(folder, enrolment)
    if seed is None:
        seed = Secret(SigningKey.generate().seed())
        keep_seed(folder, enrolment, seed)
    return SigningKey(seed.reveal())


def _check(path: Path, url: str) -> tuple[Path, ServerTrust]:
    """Check address and folders; the credentials' folder, and whose word counts for the server's certificate.

    Raises UsageError, or ConfigFault for a file that is there and not valid.
    """
    try:
        CentralTable(url=url)
    except ValidationError:
        # An address may carry a password: it is not repeated.
        raise UsageError("bad_url") from None
    credentials, trust = path.with_name("credentials.json"), ServerTrust()
    if path.exists():
        settings = config.load(path)
        credentials, trust = settings.storage.credentials, trust_of(settings)
    for folder in {path.absolute().parent, credentials.absolute().parent}:
        try:
            # Permissions do not tell of a read-only or full disk.
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError:
            raise UsageError("folder_not_writable", path=folder) from None
    return credentials.parent, trust


async def enrol(url: str, code: Secret[str], signing: SigningKey, trust: ServerTrust | None = None) -> Enrolled:
    """Trade the code for credentials. Raises CentralUnreachable, CentralRefused."""
    try:
        proof = enrolment_proof(code.reveal(), signing)
    except ValueError:
        raise CentralRefused("bad_code") from None
    link = CentralClient(url, trust=trust)
    try:
        return await link.enrol(code, signing.public, proof)
    finally:
        await link.close()


def credentials_of(enrolled: Enrolled, signing: SigningKey) -> Credentials:
    """The credentials in central's answer. Raises CentralUnreachable for one that does not fit together."""
    try:
        pin = pin_secrets(enrolled.pin)
        credentials = Credentials(
            station=enrolled.station,
            site=enrolled.site,
            role=Role(enrolled.role),
            token=Secret(enrolled.token),
            signing_seed=Secret(signing.seed()),
            certificate=decoded(enrolled.certificate),
            central_keys=tuple(decoded(key) for key in enrolled.central_keys),
            site_salt=pin.site_salt,
            peppers=tuple(Pepper(version=version, pepper=pepper) for version, pepper in pin.peppers),
            argon2=Argon2Cost(time=pin.time, memory_kib=pin.memory_kib, lanes=pin.lanes),
            pin_digits=pin.digits,
        )
        identity_of(credentials)
    except (ValueError, StationError):
        # Not "from error": what does not fit may be a secret.
        raise CentralUnreachable("central_answer_malformed", answer="Enrolled") from None
    return credentials
