"""Certificates for servers and clients on this machine: an authority per folder, P-256 keys, good for a year."""

import datetime as dt
import ipaddress
import pathlib
from collections.abc import Sequence

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE = dt.timedelta(days=365)
SKEW = dt.timedelta(hours=1)  # a clock that steps back must not make a fresh certificate one of the future


class Pair(msgspec.Struct, frozen=True):
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes

    def write(self, folder: pathlib.Path, name: str) -> None:
        """As `name.crt` and `name.key`, the key for its owner only."""
        (folder / f"{name}.crt").write_bytes(self.certificate)
        write_private(folder / f"{name}.key", self.key)


class Authority:
    """Signs server and client certificates; its key lives in this object alone unless `pair` is written."""

    def __init__(self, name: str, *, now: dt.datetime) -> None:
        self._now = now
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        usage = _usage(certificates=True)
        built = self._builder(self._name, self._key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self._certificate = built.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())

    @property
    def pair(self) -> Pair:
        """The authority's own certificate and key."""
        return Pair(certificate=_pem(self._certificate), key=private_pem(self._key))

    def server(self, name: str, hosts: Sequence[str]) -> Pair:
        """For a server known by these DNS names and IP addresses."""
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        return self._issue(_name(name), ExtendedKeyUsageOID.SERVER_AUTH, names)

    def client(self, user: str, groups: Sequence[str] = ()) -> Pair:
        """For a client; Kubernetes reads the user from the common name and the groups from the organisations."""
        return self._issue(_name(user, groups), ExtendedKeyUsageOID.CLIENT_AUTH, None)

    def workload(self, identity: str) -> Pair:
        """For a client known by a SPIFFE ID."""
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)])
        return self._issue(_name("workload"), ExtendedKeyUsageOID.CLIENT_AUTH, names)

    def _issue(self, subject: x509.Name, purpose: x509.ObjectIdentifier, names: x509.SubjectAlternativeName | None) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        built = self._builder(subject, key).add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        built = built.add_extension(_usage(certificates=False), critical=True).add_extension(
            x509.ExtendedKeyUsage([purpose]), critical=False
        )
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        built = built.add_extension(signer, critical=False)
        if names is not None:
            built = built.add_extension(names, critical=False)
        return Pair(certificate=_pem(built.sign(self._key, hashes.SHA256())), key=private_pem(key))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(self._now - SKEW).not_valid_after(self._now + LIFE)
        return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def write_private(path: pathlib.Path, content: bytes) -> None:
    """A new file only its owner can read, from its first byte on."""
    path.touch(mode=0o600)
    path.write_bytes(content)


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """PKCS #8, not encrypted."""
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _name(common: str, organisations: Sequence[str] = ()) -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in organisations]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
