"""The key pair of an enrolment that is under way: kept before it is sent, so that a lost answer can be asked again.

The same code with the same key is answered the same again; a second try with a new key would find the code spent.
One JSON file of mode 0600 beside the credentials; gone once those are written.
"""

import json
from pathlib import Path

from config.files import read_file, write_file
from config.problems import ConfigFault
from station.records.base64url import decoded, encoded
from station.secret import Secret

FILE_NAME = "enrolment-key.json"
FILE_MODE = 0o600
_FILE_LIMIT_BYTES = 1024
_SEED_BYTES = 32


def kept_seed(folder: Path, enrolment: str) -> Secret[bytes] | None:
    """The seed that was kept for the enrolment of this number; None where there is none that can be used."""
    try:
        content = read_file(folder / FILE_NAME, "enrolment_key", _FILE_LIMIT_BYTES, forbidden_mode=0o077)
        kept = json.loads(content)
        seed = decoded(kept["signing_seed"]) if kept["enrolment"] == enrolment else b""
    except (ConfigFault, ValueError, KeyError, TypeError, RecursionError):
        return None
    return Secret(seed) if len(seed) == _SEED_BYTES else None


def keep_seed(folder: Path, enrolment: str, seed: Secret[bytes]) -> None:
    """Keep it, atomically. Raises ConfigFault."""
    content = json.dumps({"enrolment": enrolment, "signing_seed": encoded(seed.reveal())}).encode() + b"\n"
    write_file(folder / FILE_NAME, content, FILE_MODE, "enrolment_key")


def forget_seed(folder: Path) -> None:
    """It is in the credentials now."""
    (folder / FILE_NAME).unlink(missing_ok=True)
