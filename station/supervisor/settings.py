"""The two settings of ``station.toml`` that the supervisor needs, without the time and memory of reading it well.

Whether the file is right is the kiosk's business; here whatever cannot be read has its default.
"""

from pathlib import Path

from station.supervisor.screens import DEFAULT_LANGUAGE, LANGUAGES

FILE_LIMIT_BYTES = 1 << 20


def read_language(config: Path) -> str:
    """The station's language, for the first screen: looked for line by line, as parsing takes longer."""
    for line in _content(config).splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "language":
            language = value.partition("#")[0].strip().strip("\"'")
            return language if language in LANGUAGES else DEFAULT_LANGUAGE
    return DEFAULT_LANGUAGE


def database_folder(config: Path) -> Path:
    """The folder of the station's database."""
    import tomllib  # noqa: PLC0415 - after the first screen

    try:
        document = tomllib.loads(_content(config))
        return (config.parent / str(document["storage"]["database"])).parent
    except (KeyError, TypeError, ValueError, RecursionError):
        return config.parent


def _content(config: Path) -> str:
    try:
        with config.open("rb") as file:
            return file.read(FILE_LIMIT_BYTES).decode("utf-8-sig", "replace")
    except OSError:
        return ""
