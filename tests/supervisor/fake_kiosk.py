"""A program in a kiosk's place: ``fake_kiosk.py FOLDER MODE``. Beats, says when it is up, keeps what is typed.

Writes to FOLDER: ``starts`` (a line of the reasons for each start), ``times`` (when that was, in seconds), ``typed``
(what came in since the latest start).
MODE of the first start is as given; later starts are well, unless MODE begins with "always-".
"""

import fcntl
import os
import resource
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

FOLDER = Path(sys.argv[1])
MODE = sys.argv[2] if len(sys.argv) > 2 else ""
BEAT = int(os.environ["STATION_HEARTBEAT_FD"])
STARTS = FOLDER / "starts"
first = not STARTS.exists()
mode = MODE.removeprefix("always-") if first or MODE.startswith("always-") else ""


def size() -> str:
    rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))
    return f"{columns}x{rows}"


def say(text: str) -> None:
    os.write(1, f"\x1b[2J\x1b[H{text}".encode())


with (FOLDER / "times").open("a") as times:
    times.write(f"{time.monotonic()}\n")
with STARTS.open("a") as starts:
    starts.write(os.environ["STATION_START_REASONS"] + "\n")
(FOLDER / "environment").write_text("\n".join(sorted(os.environ)))
(FOLDER / "pid").write_text(str(os.getpid()))
typed = (FOLDER / "typed").open("wb", buffering=0)
resized, resized_write = os.pipe()
os.set_blocking(resized_write, False)
signal.set_wakeup_fd(resized_write)
signal.signal(signal.SIGWINCH, lambda _number, _frame: None)

match mode:
    case "refuse":
        sys.stderr.write("fake kiosk: the number is missing\n")
        sys.exit(2)
    case "die":
        sys.exit(70)
    case "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    case "fork":
        if os.fork() == 0:
            (FOLDER / "grandchild").write_text(str(os.getpid()))
            while True:
                time.sleep(60)

lflag = termios.tcgetattr(0)[3]
os.write(BEAT, b".")
is_raw = not lflag & (termios.ICANON | termios.ECHO | termios.ISIG)
say(f"UP {size()} raw={is_raw} tty={os.getpgrp() == os.tcgetpgrp(0)}")

match mode:
    case "half":  # dies in the middle of a control sequence
        os.write(1, b"\x1b[?1003h\x1b]0;title")
        os.abort()
    case "spin":
        while True:
            pass
    case "descriptors":
        limit = 64
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        try:
            while True:
                os.dup(0)
        except OSError:
            pass
    case "silent":
        while True:
            time.sleep(60)
    case "unread":
        while True:
            os.write(BEAT, b".")
            time.sleep(0.2)
    case "flood":
        while True:
            os.write(1, b"flood " * 200)
            os.write(BEAT, b".")
    case "update":
        sys.exit(75)

while True:
    readable, _, _ = select.select([0, resized], [], [], 0.2)
    if resized in readable and signal.SIGWINCH in os.read(resized, 64):
        say(f"SIZE {size()}")
    if 0 in readable:
        data = os.read(0, 4096)
        if not data:
            break
        typed.write(data)
    os.write(BEAT, b".")
