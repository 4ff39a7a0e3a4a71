"""A real time-stamping authority: `timestamp-authority` (tools/timestamp) over HTTPS, under certificates of the test's own."""

import contextlib
import datetime as dt
import pathlib
import ssl
import subprocess
from collections.abc import Iterator

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from plane import config
from tests.support import far_ends, waiting

PROGRAM = "timestamp-authority"


class Authority:
    """Stamps what it is asked; `pem` is who vouches for it."""

    def __init__(self, folder: pathlib.Path, http: httpx.Client, pem: str) -> None:
        self._folder, self._http, self.pem = folder, http, pem

    def answer(self, got: far_ends.Received) -> tuple[int, bytes]:
        """The authority's own."""
        said = self._http.post("/", content=got.body, headers={"Content-Type": "application/timestamp-query"})
        return said.status_code, said.content

    def holds(self, note: str, stamp: bytes) -> bool:
        """As a verifier that is not the plane's says, with the authority's certificate alone."""
        (self._folder / "note").write_bytes(note.encode())
        (self._folder / "stamp").write_bytes(stamp)
        words = ["verify", "-text", "note", "-answer", "stamp", "-authority", "root.crt"]
        return subprocess.run([config.program(PROGRAM), *words], cwd=self._folder, check=False, capture_output=True).returncode == 0


@contextlib.contextmanager
def authority(folder: pathlib.Path) -> Iterator[Authority]:
    """One of its own; it ends with its standard input."""
    folder.mkdir()
    pem = _certify(folder)
    _, tls_pem = far_ends.trust(folder, dt.datetime.now(dt.UTC))
    words = ["serve", "-tls-cert", "far.crt", "-tls-key", "far.key", "-cert", "tsa.crt", "-key", "tsa.key"]
    with subprocess.Popen(
        [config.program(PROGRAM), *words, "-port", "0"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        address = child.stdout.readline().strip()
        assert address, f"{PROGRAM} did not start"
        trusted = ssl.create_default_context(cadata=tls_pem)
        with httpx.Client(base_url=address, verify=trusted, timeout=waiting.PATIENCE_S, trust_env=False) as http:
            yield Authority(folder, http, pem)


def _certify(folder: pathlib.Path) -> str:
    """Make `tsa.crt` with `tsa.key`, and `root.crt`, which vouches for it and is returned."""
    root_key, key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    root = _certificate("stamps of a test", root_key.public_key(), "stamps of a test", root_key, stamps=False)
    mine = _certificate("clock of a test", key.public_key(), "stamps of a test", root_key, stamps=True)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem = root.public_bytes(serialization.Encoding.PEM)
    for name, content in (("tsa.key", private), ("tsa.crt", mine.public_bytes(serialization.Encoding.PEM)), ("root.crt", pem)):
        (folder / name).write_bytes(content)
    return pem.decode()


def _certificate(name: str, key: rsa.RSAPublicKey, issuer: str, issuer_key: rsa.RSAPrivateKey, *, stamps: bool) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=not stamps, path_length=None), critical=True)
    )
    if stamps:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return made.sign(issuer_key, hashes.SHA256())
