"""How a particular emulated key was built: what its firmware has, and how it answers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyOptions:
    """The choices of a firmware's configuration. The defaults are a current Zephyr with its default buffers."""

    folder: str = "/lfs1"
    error_version: int = 2
    """1: an old firmware, that answers every error as ``{"rc": n}`` and every success with ``rc: 0`` in it."""
    buffer_bytes: int = 384
    """Requests over this less 4 vanish without an answer."""
    max_request_lines: int | None = None
    """Requests of more lines overrun the receive fragments and vanish."""
    has_clock: bool = True
    milliseconds: bool = False
    """Datetime answers carry milliseconds, without leading zeros."""
    has_status: bool = True
    hashes: tuple[str, ...] = ("crc32", "sha256")
    hash_limit_bytes: int | None = None
    """A hash over more takes longer than anyone waits: no answer comes."""
    has_parameters: bool = True
    has_close: bool = True
    echo_operations: tuple[int, ...] = (0, 2)
    """Read and write, as Zephyr; some firmware takes only one of them."""
    capacity_bytes: int = 262144
    """The file system: a write beyond it fails, after the file has been truncated."""
    read_only: bool = False
    """A file system that is worn out: every write fails and changes nothing."""
    awake_s: float = 20.0
    idle_close_s: float = 4.0
    """A file left open is closed, and so committed, after this."""
