"""A port named by what its adapter says of itself is looked for anew whenever it is opened."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from drivers.emulated_key.line import SerialLine
from drivers.smp.port_search import found_port, is_search
from drivers.smp.reader import SmpKeyReader
from station.ports import KeyFile, KeyLost, ReaderLost, ReaderSettings

READER = "hwgrep://0403:6001.*SER=READER7"


class Machine:
    """The adapters that are plugged in: no USB is at hand where tests run."""

    def __init__(self) -> None:
        self.ports: list[ListPortInfo] = []
        self.asked = 0

    def plug(self, device: str | Path, hwid: str = "USB VID:PID=0403:6001 SER=READER7 LOCATION=1-1.2") -> None:
        port = ListPortInfo(str(device))
        port.description, port.hwid = "Key reader", hwid
        self.ports.append(port)

    def unplug(self, device: str | Path) -> None:
        self.ports = [port for port in self.ports if port.device != str(device)]

    def comports(self, include_links: bool = False) -> list[ListPortInfo]:
        self.asked += 1
        return list(self.ports)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    monkeypatch.setattr(list_ports, "comports", machine.comports)
    return machine


def test_only_the_scheme_makes_a_search() -> None:
    assert is_search("hwgrep://x")
    assert is_search("HWGREP://x")
    assert not is_search("/dev/hwgrep")
    assert not is_search("socket://hwgrep:1")


@pytest.mark.parametrize("search", ["ttyUSB7", "key READER", "ser=reader7", "VID:PID=0403:6001", "LOCATION=1-1\\.2$"])
def test_found_by_name_description_or_hardware_id_whatever_the_case(machine: Machine, search: str) -> None:
    machine.plug("/dev/ttyUSB0", "USB VID:PID=067B:2303 SER=OTHER")
    machine.ports[0].description = "Label printer"
    machine.plug("/dev/ttyUSB7")
    assert found_port(f"hwgrep://{search}") == "/dev/ttyUSB7"


def test_the_first_by_name_or_the_one_asked_for(machine: Machine) -> None:
    for name in ("/dev/ttyUSB2", "/dev/ttyUSB0", "/dev/ttyUSB1"):
        machine.plug(name)
    assert found_port(READER) == "/dev/ttyUSB0"
    assert found_port(f"{READER}&n=1") == "/dev/ttyUSB0"
    assert found_port(f"{READER}&n=3") == "/dev/ttyUSB2"
    with pytest.raises(ReaderLost, match="port_missing"):
        found_port(f"{READER}&n=4")


def test_none_and_nonsense_are_told_apart(machine: Machine) -> None:
    with pytest.raises(ReaderLost, match="port_missing"):
        found_port(READER)
    with pytest.raises(ReaderLost, match="port_search"):
        found_port("hwgrep://([")


def test_an_adapter_that_goes_while_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(include_links: bool = False) -> list[Any]:
        raise FileNotFoundError("/sys/class/tty/ttyUSB0/device")

    monkeypatch.setattr(list_ports, "comports", gone)
    with pytest.raises(ReaderLost, match="port_missing"):
        found_port(READER)


def test_this_machines_own_ports_can_be_searched() -> None:
    with pytest.raises(ReaderLost, match="port_missing"):
        found_port("hwgrep://an adapter that nobody ever made")


async def test_the_adapter_comes_back_under_another_name(hands: Any, machine: Machine, tmp_path: Path) -> None:
    first, second = tmp_path / "ttyUSB0", tmp_path / "ttyUSB1"
    key = hands.key()
    lines = [SerialLine(first, 1_000_000)]
    reader = SmpKeyReader(ReaderSettings(READER, 1_000_000))
    try:
        machine.plug(first)
        lines[0].insert(key)
        session = await asyncio.wait_for(reader.next_key(), 5)
        gone = asyncio.create_task(session.gone())
        await asyncio.sleep(0)
        lines[0].hang_up()
        machine.unplug(first)
        await asyncio.wait_for(gone, 1)
        with pytest.raises(KeyLost):
            await session.read(KeyFile.ID)
        with pytest.raises(ReaderLost, match="port_missing"):
            await reader.next_key()
        lines.append(SerialLine(second, 1_000_000))
        lines[1].insert(key)
        machine.plug(second)
        session = await asyncio.wait_for(reader.next_key(), 5)
        await session.write(KeyFile.ID, b"again")
        assert key.folder.read(KeyFile.ID) == b"again"
    finally:
        await reader.close()
        for line in lines:
            line.close()


async def test_an_open_port_is_not_looked_for_again(hands: Any, machine: Machine) -> None:
    line = hands.line()
    machine.plug(line.path)
    reader = SmpKeyReader(ReaderSettings(READER, 1_000_000))
    hands.readers.append(reader)
    line.insert(hands.key())
    session = await asyncio.wait_for(reader.next_key(), 5)
    await session.write(KeyFile.ID, b"an id")
    line.pull()
    await asyncio.wait_for(session.gone(), 5)
    line.insert(hands.key("another"))
    await asyncio.wait_for(reader.next_key(), 5)
    assert machine.asked == 1


async def test_cancelled_while_it_searches_leaves_nothing_open(hands: Any, machine: Machine) -> None:
    line = hands.line(key=hands.key())
    machine.plug(line.path)
    gone = SmpKeyReader(ReaderSettings(READER, 1_000_000))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await gone.next_key()
    machine.plug(line.path)
    other = SmpKeyReader(ReaderSettings(READER, 1_000_000))
    hands.readers.append(other)
    # A port that the first had left open would be busy.
    await asyncio.wait_for(other.next_key(), 5)
