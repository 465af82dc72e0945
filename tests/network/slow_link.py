"""A mobile network on the loopback: what passes takes its time, and is counted. And a TLS proxy in front of central."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PIECE_BYTES = 1400
"""What one packet carries: a longer answer arrives piece by piece, as it does on the air."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Of a link: ``round_trip_s`` there and back, ``bits_s`` in each direction (0: no limit)."""

    round_trip_s: float = 0.0
    bits_s: int = 0


LAN = Quality()
GSM = Quality(round_trip_s=0.6, bits_s=20_000)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What has passed: bytes of TCP payload in each direction, and connections that were opened."""

    up_bytes: int = 0
    down_bytes: int = 0
    connections: int = 0

    def since(self, before: "Traffic") -> "Traffic":
        return Traffic(
            self.up_bytes - before.up_bytes,
            self.down_bytes - before.down_bytes,
            self.connections - before.connections,
        )

    @property
    def both_bytes(self) -> int:
        return self.up_bytes + self.down_bytes


class Relay:
    """Listens on a free loopback port and passes bytes on to ``port``. `start` it, `stop` it."""

    def __init__(self, port: int, *, context: ssl.SSLContext | None = None) -> None:
        self._to, self._context = port, context
        self._server: asyncio.Server
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def opened(self) -> float:
        """A connection was opened; how long it takes until it carries anything, in seconds."""
        return 0.0

    def up(self, piece: bytes) -> float:
        """A piece sets out for central; when it is there (the loop's time)."""
        return 0.0

    def down(self, piece: bytes) -> float:
        """A piece sets out for the station; when it is there."""
        return 0.0

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        onward: asyncio.StreamWriter | None = None
        try:
            await asyncio.sleep(self.opened())
            answers, onward = await asyncio.open_connection("127.0.0.1", self._to)
            await asyncio.gather(
                _passed_on(reader, onward, self.up),
                _passed_on(answers, writer, self.down),
            )
        except (OSError, asyncio.CancelledError):
            # Whoever stops the relay cancels; asyncio's streams would take that for a fault.
            pass
        finally:
            for each in (writer, onward):
                if each is not None:
                    each.transport.abort()
                    with suppress(OSError):
                        await each.wait_closed()


async def _passed_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, arrives: Callable[[bytes], float]
) -> None:
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    delivering = asyncio.create_task(_delivered(under_way, writer))
    try:
        piece = b" "
        while piece:
            piece = await reader.read(PIECE_BYTES)
            under_way.put_nowait((arrives(piece), piece))
        await delivering
    finally:
        delivering.cancel()
        await asyncio.wait([delivering])


async def _delivered(under_way: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter) -> None:
    """Write each piece when it is there; an empty one is the end."""
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while True:
            at_s, piece = await under_way.get()
            await asyncio.sleep(max(0.0, at_s - loop.time()))
            if not piece:
                break
            writer.write(piece)
            await writer.drain()
        # TLS has no half-closed connections.
        if writer.can_write_eof():
            writer.write_eof()
        else:
            writer.close()


class SlowLink(Relay):
    """A relay of a `Quality`, which may be changed; `traffic` is what has passed."""

    def __init__(self, port: int, quality: Quality) -> None:
        super().__init__(port)
        self.quality = quality
        self.traffic = Traffic()
        self._up, self._down = _Line(), _Line()

    def opened(self) -> float:
        self.traffic = Traffic(self.traffic.up_bytes, self.traffic.down_bytes, self.traffic.connections + 1)
        # SYN and its answer; the third packet already carries data.
        return self.quality.round_trip_s

    def up(self, piece: bytes) -> float:
        t = self.traffic
        self.traffic = Traffic(t.up_bytes + len(piece), t.down_bytes, t.connections)
        return self._up.arrival(piece, self.quality)

    def down(self, piece: bytes) -> float:
        t = self.traffic
        self.traffic = Traffic(t.up_bytes, t.down_bytes + len(piece), t.connections)
        return self._down.arrival(piece, self.quality)


class _Line:
    """One direction: pieces are sent one after the other, and each is then on its way for half of the round trip."""

    def __init__(self) -> None:
        self._free_at_s = 0.0

    def arrival(self, piece: bytes, quality: Quality) -> float:
        sending_s = 8 * len(piece) / quality.bits_s if quality.bits_s else 0.0
        self._free_at_s = max(asyncio.get_running_loop().time(), self._free_at_s) + sending_s
        return self._free_at_s + quality.round_trip_s / 2


def certified(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """What a server shows that a public authority has certified (root, intermediate, leaf), and the root's file."""
    root_key, middle_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = _certificate("Exempelby Root", root_key, "Exempelby Root", root_key, authority=True)
    middle = _certificate("Exempelby Intermediate", middle_key, "Exempelby Root", root_key, authority=True)
    leaf = _certificate("127.0.0.1", leaf_key, "Exempelby Intermediate", middle_key, authority=False)
    chain, root_file = folder / "chain.pem", folder / "root.pem"
    root_file.write_bytes(root)
    key = leaf_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(leaf + middle + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context, root_file


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, by: str, by_key: ec.EllipticCurvePrivateKey, *, authority: bool
) -> bytes:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, by)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by_key.public_key()), critical=False)
    )
    if not authority:
        alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))])
        builder = builder.add_extension(alternative, critical=False)
    return builder.sign(by_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
