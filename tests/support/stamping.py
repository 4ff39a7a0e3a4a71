"""A real time-stamping authority: OpenSSL's, with an authority of its own, answering what a far end gets."""

import datetime as dt
import pathlib
import shutil
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support import far_ends

SETTINGS = """[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/tsa.crt
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Authority:
    """Stamps what it is asked; `pem` is who vouches for it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder, self._program = folder, shutil.which("openssl")
        assert self._program, "OpenSSL's program is what stamps in this test; install openssl"
        folder.mkdir()
        root_key, key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
        root = _certificate("stamps of a test", root_key.public_key(), "stamps of a test", root_key, stamps=False)
        mine = _certificate("clock of a test", key.public_key(), "stamps of a test", root_key, stamps=True)
        self.pem = root.public_bytes(serialization.Encoding.PEM).decode()
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        (folder / "tsa.key").write_bytes(private)
        (folder / "tsa.crt").write_bytes(mine.public_bytes(serialization.Encoding.PEM))
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(SETTINGS.format(folder=folder))

    def answer(self, got: far_ends.Received) -> tuple[int, bytes]:
        """As HTTP servers of such authorities do."""
        (self._folder / "query").write_bytes(got.body)
        words = ["ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply"]
        subprocess.run([self._program or "", *words], cwd=self._folder, check=True, capture_output=True)
        return 200, (self._folder / "reply").read_bytes()

    def holds(self, note: str, stamp: bytes) -> bool:
        """As OpenSSL verifies it, with the authority's certificate alone."""
        for name, content in (("root.crt", self.pem.encode()), ("note", note.encode()), ("stamp", stamp)):
            (self._folder / name).write_bytes(content)
        words = ["ts", "-verify", "-data", "note", "-in", "stamp", "-CAfile", "root.crt"]
        return subprocess.run([self._program or "", *words], cwd=self._folder, check=False, capture_output=True).returncode == 0


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
