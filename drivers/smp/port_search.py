"""Where a key reader is by now: a port named by what the adapter says of itself, not by where it was plugged in.

``hwgrep://EXPRESSION`` is pyserial's form: the first serial port, by name, in whose device name, description or
hardware id ("USB VID:PID=0403:6001 SER=READER7 LOCATION=1-1.2") the regular expression is found, whatever its case;
``&n=2`` at its end takes the second. Done here and not by pyserial, whose errors do not tell a missing port from an
expression that is none.
"""

import re
from typing import Final

from station.ports import ReaderLost

SCHEME: Final = "hwgrep://"
_NUMBER: Final = re.compile(r"&n=([1-9][0-9]{0,2})$")


def is_search(port: str) -> bool:
    """Whether ``port`` is an expression to be searched for and not a port itself."""
    return port.lower().startswith(SCHEME)


def found_port(search: str) -> str:
    """The device that ``search`` finds at this moment. It reads ``/sys``: milliseconds, off the event loop.

    Raises ReaderLost: ``port_missing`` when there is none, ``port_search`` when the expression is none.
    """
    # Only those who search pay for the import.
    from serial.tools import list_ports  # noqa: PLC0415

    text = search[len(SCHEME) :]
    number = _NUMBER.search(text)
    if number is not None:
        text = text[: number.start()]
    try:
        expression = re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise ReaderLost("port_search", port=search) from error
    try:
        ports = list_ports.comports()
    except OSError as error:  # an adapter that goes while it is being looked at
        raise ReaderLost("port_missing", port=search) from error
    found = sorted(
        port.device for port in ports if any(map(expression.search, (port.device, port.description, port.hwid)))
    )
    wanted = int(number[1]) if number is not None else 1
    if len(found) < wanted:
        raise ReaderLost("port_missing", port=search)
    return found[wanted - 1]
