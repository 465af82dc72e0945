"""The real nginx with the configuration of deploy/nginx, on ports and with a certificate of one's own."""

import datetime as dt
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx" / "central.conf"
NAME = "central.example"
CALLERS = 1000
STARTS_S = 20.0


def program() -> str | None:
    """Where nginx is; a user's search path has no sbin."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs."""

    port: int
    trust: ssl.SSLContext
    """In its certificate, and no other."""
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"https://{NAME}:{self.port}"


@contextmanager
def proxy(nginx: str, folder: Path, upstreams: Sequence[str], callers: int = CALLERS) -> Iterator[Proxy]:
    """nginx before ``upstreams`` (``host:port``), in the place of the two machines in the configuration.

    ``callers``: connections of one address, where all stations are on this machine.
    """
    certificate = _make_certificate(folder)
    port = _free_port()
    configuration = write_configuration(folder, upstreams, port, callers)
    command = [nginx, "-p", str(folder), "-c", str(configuration), "-g", "daemon off;"]
    judged = subprocess.run([*command, "-t"], check=False, capture_output=True, text=True, timeout=30)
    assert judged.returncode == 0, judged.stderr
    log = folder / "error.log"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + STARTS_S
        while not _listens(port):
            assert process.poll() is None, log.read_text("utf-8", "replace")
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield Proxy(port, ssl.create_default_context(cafile=str(certificate)), process, log)
    finally:
        process.terminate()
        process.wait(30)


def write_configuration(folder: Path, upstreams: Sequence[str], port: int, callers: int = CALLERS) -> Path:
    """The configuration as it is delivered, but for addresses, files, and the user that it runs as."""
    text = CONFIGURATION.read_text("utf-8")

    def put(pattern: str, new: str, count: int) -> None:
        nonlocal text
        text, found = re.subn(pattern, new, text)
        assert found == count, pattern

    machines = cycle(upstreams)
    put(r"server 10\.0\.0\.1[12]:8440", "server {}", 4)
    put(r"listen 80 default_server;\n\s+listen \[::\]:80 default_server;", f"listen 127.0.0.1:{_free_port()};", 1)
    put(r"listen 443 ssl", f"listen 127.0.0.1:{port} ssl", 1)
    put(r"\n\s+listen \[::\]:443 [^\n]+", "", 1)
    put(rf"limit_conn callers {CALLERS};", f"limit_conn callers {callers};", 1)
    put(r"/etc/ssl/central/", f"{folder}/", 2)
    put(r"error_log /var/log/nginx/error.log", f"error_log {folder}/error.log", 1)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    own = [f"{kind}_temp_path {folder}/{kind};" for kind in kinds]
    put(r"\nhttp \{", "\n".join([f"\npid {folder}/nginx.pid;", "http {", *own]), 1)
    text = re.sub(r"server \{\} ", lambda _: f"server {next(machines)} ", text)
    written = folder / "nginx.conf"
    # Started by root, its workers would be somebody who may not enter the folder.
    user = "user root;\n" if Path("/proc/self").stat().st_uid == 0 else ""
    written.write_text(user + text, "utf-8")
    return written


def _make_certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    whole = folder / "fullchain.pem"
    whole.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "privkey.pem").write_bytes(secret)
    return whole


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
