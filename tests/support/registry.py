"""A real OCI registry: `oci-registry` (tools/registry) over HTTPS, with what authors push to it and sign there."""

import contextlib
import datetime as dt
import pathlib
import subprocess
from collections.abc import Iterator

from plane import config
from tests.support import far_ends

PROGRAM = "oci-registry"
PASSWORD = "not-for-everybody"
CA = "registry.crt"


class Registry:
    """`address`: HOST:PORT; `ca_pem`: who vouches for it."""

    def __init__(self, folder: pathlib.Path, address: str, ca_pem: str) -> None:
        self._folder, self.address, self.ca_pem = folder, address, ca_pem

    def url(self, name: str) -> str:
        """As a repository of the plane is named."""
        return f"oci://{self.address}/{name}"

    def push(self, to: str, *files: tuple[str, bytes], media: str = "") -> str:
        """Each file a layer, as `REPOSITORY:TAG`; returns the digest."""
        for name, body in files:
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        form = ["-media-type", media] if media else []
        return self._said("push", "-to", f"{self.address}/{to}", *form, *(name for name, _ in files))

    def sign(self, name: str, digest: str, key: str, *, certificate: str = "") -> None:
        """As `cosign sign --key` did before version 3; with a certificate as if there were no key."""
        (self._folder / "keyless.pem").write_text(certificate)
        words = ["-certificate", "keyless.pem"] if certificate else []
        self._said("sign", "-image", f"{self.address}/{name}@{digest}", "-key", key, *words)

    def refer(self, name: str, digest: str, key: str, *, predicate: str = "https://sigstore.dev/cosign/sign/v1") -> None:
        """As cosign 3 signs and attests."""
        self._said("sign", "-image", f"{self.address}/{name}@{digest}", "-key", key, "-predicate", predicate)

    def _said(self, verb: str, *words: str) -> str:
        command = [config.program(PROGRAM), verb, "-ca", CA, "-password", PASSWORD, *words]
        return subprocess.run(command, cwd=self._folder, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


@contextlib.contextmanager
def registry(folder: pathlib.Path) -> Iterator[Registry]:
    """One of its own; it ends with its standard input."""
    folder.mkdir()
    _, pem = far_ends.trust(folder, dt.datetime.now(dt.UTC))
    (folder / CA).write_text(pem)
    words = ["serve", "-tls-cert", "far.crt", "-tls-key", "far.key", "-password", PASSWORD]
    with subprocess.Popen([config.program(PROGRAM), *words], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        address = child.stdout.readline().strip()
        assert address, f"{PROGRAM} did not start"
        yield Registry(folder, address.removeprefix("https://"), pem)
