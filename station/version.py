"""Which version this is, and of which commit."""

import subprocess
from pathlib import Path

VERSION = "0.2.0.dev0"
# `make dist` builds from `git archive`, which puts the commit here (see .gitattributes).
_ARCHIVED = "$Format:%H$"
_ROOT = Path(__file__).parents[1]


def version_and_commit() -> str:
    """For example ``0.2.0.dev0 (commit 5fe87f0abcde)``; ``-dirty`` after it where files differ from the commit."""
    return f"{VERSION} (commit {_commit()})"


def _commit() -> str:
    if not _ARCHIVED.startswith("$"):
        return _ARCHIVED[:12]
    # Only of a checkout of this project: an installed program may lie in a folder of somebody else's repository.
    if not (_ROOT / ".git").exists():
        return "unknown"
    command = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"
