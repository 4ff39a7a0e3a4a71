"""Bundles made and signed by the real program, as authors make them."""

import io
import pathlib
import subprocess
import tarfile
from collections.abc import Mapping

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from plane import config
from plane.domain import trust
from plane.domain.rendering import secrets

RULE = """# METADATA
# title: Owners
# description: Says whom to call.
# custom:
#   id: X01
#   severity: low
#   remedy: Set the label.
package plane.rules.owners

about := entry.annotations.custom if {
	some entry in rego.metadata.chain()
	entry.annotations.scope == "package"
}

violations contains {"message": "no owner"} if {
	some kind in data.owned.kinds
	input.manifest.kind == kind
}
"""
TEST = """package plane.rules.owners_test

import data.plane.rules.owners

test_a_pod_needs_one if count(owners.violations) == 1 with input as {"manifest": {"kind": "Pod"}}
"""
FILES = {
    "owners.rego": RULE,
    "owners_test.rego": TEST,
    "owned/data.json": '{"kinds": ["Pod"], "weights": [1.50, 1e3, -0], "\\u2028 wörter <&>": "a\\u0007\\u2028"}',
    ".manifest": '{"revision": "r7", "roots": ["plane/rules/owners", "plane/rules/owners_test", "owned"], "metadata": {"team": "shop"}}',
}


class Signer:
    """A key pair in a folder. `algorithm`: RS256, ES256, or HS256 with a secret."""

    def __init__(self, folder: pathlib.Path, algorithm: trust.Algorithm) -> None:
        self.algorithm, self.private = algorithm, str(folder / f"{algorithm}.pem")
        if algorithm == "HS256":
            self.private = self.public = "not-known-to-many-people-at-all-3"
            return
        key = ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else rsa.generate_private_key(65537, 2048)
        text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        pathlib.Path(self.private).write_bytes(text)
        pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.public = pem.decode()

    def trusted(self, *, scope: str = "") -> trust.Trusted:
        """As the plane trusts it."""
        return trust.Trusted(f"tenant/{self.algorithm}", self.algorithm, secrets.Secret(self.public.encode()), scope)


def folder(place: pathlib.Path, files: Mapping[str, str]) -> pathlib.Path:
    """The files in a folder."""
    for name, text in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return place


def built(place: pathlib.Path, signer: Signer | None = None) -> bytes:
    """`opa build -b`, with its signature."""
    key = ["--signing-key", signer.private, "--signing-alg", signer.algorithm] if signer else []
    _opa("build", "-b", place.name, "-o", "built.tar.gz", *key, cwd=place.parent)  # as OPA is given a folder it names the files
    return (place.parent / "built.tar.gz").read_bytes()


def signed(place: pathlib.Path, signer: Signer, **claims: str) -> bytes:
    """`opa sign -b .`, then `tar`."""
    said = place.parent / "claims.json"
    said.write_text("{" + ",".join(f'"{name}": "{value}"' for name, value in claims.items()) + "}")
    _opa("sign", "-b", ".", "--signing-key", signer.private, "--signing-alg", signer.algorithm, "--claims-file", str(said), cwd=place)
    return packed({path.relative_to(place).as_posix(): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()})


def packed(files: Mapping[str, bytes]) -> bytes:
    """A gzipped tar as `tar -czf - .` makes it."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as tar:
        for name, body in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return whole.getvalue()


def _opa(*words: str, cwd: pathlib.Path) -> None:
    subprocess.run([config.program("opa"), *words], cwd=cwd, check=True, capture_output=True, timeout=60)
