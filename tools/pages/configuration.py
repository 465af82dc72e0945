"""Writes ``docs/reference/configuration.md`` from the models of ``station.toml``.

    python -m tools.pages.configuration

A test holds the committed page to what this makes of the models.
"""

# ruff: noqa: E501 (a row is a row)

import json
from pathlib import Path
from typing import Any

from config.config_file import LAST_LINE
from config.file_watch import REST_S
from config.good_copies import COPIES_LIMIT, SYSTEM_FOLDER
from config.loading import expectation
from config.models import Reach, Settings, keys_with_reach

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"

_HEAD = f"""\
# Settings

Generated from the models in `config/models.py` by `python -m tools.pages.configuration`; not to be edited by hand.

A station reads `--config PATH`, or `station.toml` in the working directory, or `/etc/station/station.toml`. Relative
paths start from the file's folder. An unknown key, a wrong type or a value out of bounds makes the whole file invalid:
`station config check FILE` says where and why. Nothing secret belongs in it.

## When a change counts

A file that is replaced or rewritten is noticed within two seconds, once nobody has written to it for {REST_S:g} s. It is checked
as a whole, and applied between two visits, never during one. The *reach* of a key says what has to begin anew:

| reach | what happens |
|---|---|
"""
_REACHES = {
    Reach.LIVE: "it counts from the next visit on",
    Reach.KEY_READER: "the serial port is let go of and opened anew",
    Reach.CENTRAL: "the connection to the central server is made anew",
    Reach.PROCESS: "the kiosk ends, and its supervisor starts it again",
}
_BROKEN = f"""\
## When a file is broken

Then nothing changes: the last good one runs on, also after a restart. `station status`, the log, a mark on the screen's
lowest line and a `config_rejected` event (`file`, `line`, `key`, `reason`) say so. Where the last good file ended with
the line `{LAST_LINE}`, as the shipped one does, a file without it is incomplete: the beginning of a file can be valid. Another
station's number, a role that is not in the certificate, a folder that is not there and certificates that cannot be
read are found before anything is applied. A file with which the station then does not start is left again.

The last {COPIES_LIMIT} files that have run are kept: of `/etc/station/station.toml` in `{SYSTEM_FOLDER}`, of any other in a folder
beside it, `station.toml.good`. `station config show` prints the values in effect with the line that each comes from,
and the versions kept; `station config rollback [VERSION]` puts one of them back. A version is the first twelve
hexadecimal digits of SHA-256 over the file; a `config_applied` event tells it to central (`version`, `reach`, `keys`).

A station that never had a good file says on its screen what to do, and starts by itself when it is done. Started by hand,
it says in a line what is wrong, and ends.

"""


def page() -> str:
    """The whole page as text."""
    reaches = "".join(f"| {reach.value} | {_REACHES[reach]} |\n" for reach in Reach)
    return _HEAD + reaches + "\n" + _BROKEN + "## Keys\n" + _tables()


def _tables() -> str:
    parts = []
    table = None
    for name, key, reach in keys_with_reach(Settings):
        if name != table:
            table = name
            about: Any = Settings.model_fields[name].annotation
            parts.append(
                f"\n### [{name}]\n\n{_plain(about.__doc__)}\n\n| key | default | what it is | reach |\n|---|---|---|---|\n"
            )
        parts.append(_row(name, key, reach))
    return "".join(parts)


def _row(table: str, key: str, reach: Reach) -> str:
    model: Any = Settings.model_fields[table].annotation
    field = model.model_fields[key]
    default = "required" if field.is_required() else _written(field.default)
    what = f"{field.description} {_sentence(expectation((table, key)))}".replace("|", "\\|")
    return f"| `{key}` | {default} | {what} | {reach.value} |\n"


def _written(value: object) -> str:
    if value is None:
        return "none"
    return f"`{json.dumps(str(value) if isinstance(value, Path) else value)}`"


def _plain(docstring: str | None) -> str:
    return (docstring or "").replace("``", "`")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
