"""OPA bundles as people upload them: a gzipped tar of modules, data and a manifest, unpacked within bounds and never onto a disk.

Source: https://www.openpolicyagent.org/docs/management-bundles, bundle file format.
"""

import io
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from plane.domain import errors
from plane.domain.judging import styles

MAX_BYTES = 4 * 1024 * 1024  # unpacked: four times what a set may hold, for the library's copies that authors build with
MAX_FILES = 1000
MANIFEST, SIGNATURES = ".manifest", ".signatures.json"
FIELD = "bundle"
OURS = ("plane/main", "system")  # what the plane and OPA keep there is no author's; copies of plane/lib are left out
# What tarfile says of headers that are none: sizes beyond any number, headers about headers about headers.
BROKEN = (tarfile.TarError, zlib.error, EOFError, ValueError, OverflowError, RecursionError)
NO_TEXT = "is no UTF-8 text, or holds the character NUL"
_GZIP = 16 + zlib.MAX_WBITS  # zlib's word for: a gzip header and nothing else
_DATA = re.compile(r"(?:.*/)?data\.(?:json|ya?ml)")


class Manifest(msgspec.Struct, frozen=True):
    """What a bundle says of itself. `roots`: the paths below `data` that it is alone to fill."""

    revision: str = ""
    roots: tuple[str, ...] = ("",)
    rego_version: Literal[0, 1] | None = None
    file_rego_versions: dict[str, Literal[0, 1]] = {}
    metadata: dict[str, Any] = {}
    wasm: list[Any] = []


class Bundle(msgspec.Struct, frozen=True):
    """Path → bytes of every file, as it is signed; `texts`: those of them that make the set."""

    contents: Mapping[str, bytes]
    texts: Mapping[str, str]
    manifest: Manifest


def read(packed: bytes) -> Bundle:
    """Unpack a bundle.

    Raises:
        Invalid: it is none, or holds what a policy set has not; the file is named.
    """
    try:
        contents = dict(_members(_unpacked(packed)))
    except BROKEN as error:
        raise _refused("", "is no gzipped tar archive; make one with `opa build -b DIR`") from error
    manifest = _manifest(contents.get(MANIFEST))
    texts = {name: _text(name, body) for name, body in contents.items() if name not in {MANIFEST, SIGNATURES}}
    if not texts:
        raise _refused("", "holds no module")
    for name in filter(_DATA.fullmatch, texts):
        folder = name.rpartition("/")[0]
        if folder and not any(_below(folder, root.strip("/")) for root in manifest.roots):
            raise _refused(name, f"lies outside the manifest's roots ({', '.join(map(repr, manifest.roots))})")
    return Bundle(contents, texts, manifest)


def without(bundle: Bundle, known: frozenset[str]) -> Bundle:
    """The bundle less texts that are there anyway; its contents stay as they are signed."""
    return msgspec.structs.replace(bundle, texts={name: text for name, text in bundle.texts.items() if text not in known})


def style_problem(bundle: Bundle, style: styles.Style) -> str:
    """Why a set of this style cannot be made of the bundle, or the empty string."""
    if style.kind not in {"plane", "conftest"}:
        return f"a set of kind {style.kind} consists of documents, not of a bundle's modules; send its files instead"
    versions = {bundle.manifest.rego_version, *bundle.manifest.file_rego_versions.values()} - {None}
    if versions == {0, 1}:
        return "its modules are of two versions of Rego; rewrite the older ones with `opa fmt --v0-v1`"
    if versions == {0} and style.rego_version == "v1":
        return "its modules are Rego v0; set spec.style to conftest with regoVersion v0, or rewrite them with `opa fmt --v0-v1`"
    if versions == {1} and style.rego_version == "v0":
        return "its modules are Rego v1 and spec.style.regoVersion says v0; leave that out"
    if style.kind == "conftest" and any("/" in name and _DATA.fullmatch(name) for name in bundle.texts):
        return "conftest lays all data on top of each other, whatever its folder; keep it in one data.json"
    return ""


def _unpacked(packed: bytes) -> bytes:
    reader = zlib.decompressobj(_GZIP)
    whole = reader.decompress(packed, MAX_BYTES + 1)
    if len(whole) > MAX_BYTES:
        raise _refused("", f"is larger than {MAX_BYTES:,} bytes when unpacked; split the set")
    if not reader.eof:
        raise EOFError
    return whole


def _members(archive: bytes) -> Iterator[tuple[str, bytes]]:
    seen: set[str] = set()
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
        for member in tar:
            if member.isdir():
                continue
            name = member.name.removeprefix("./").removeprefix("/")  # `tar` writes the one and OPA the other
            if rule := _rule(member, name):
                raise _refused(member.name, rule)
            if name in seen:
                raise _refused(name, "is there twice")
            if len(seen) == MAX_FILES:
                raise _refused("", f"holds more than {MAX_FILES} files")
            seen.add(name)
            body = tar.extractfile(member)
            yield name, body.read() if body else b""


def _rule(member: tarfile.TarInfo, name: str) -> str:
    """Why a bundle may not hold this member, or the empty string."""
    if not member.isreg() or member.issparse():
        return "is a link or a device; a bundle holds plain files"
    if not name.isprintable() or {"", ".", ".."} & set(name.split("/")) or "\\" in name:
        return "is no path inside the bundle; write it relative, without `..`"
    last = name.rpartition("/")[2]
    if last.endswith(".wasm") or name == "plan.json":
        return "is compiled; build the bundle with `opa build --target rego`"
    if name == "patch.json":
        return "makes it a delta bundle; send the whole set"
    if name in {MANIFEST, SIGNATURES} or last.endswith(".rego") or _DATA.fullmatch(name):
        return ""
    return "is neither a .rego file nor data.json, data.yaml, .manifest or .signatures.json; leave it out"


def _manifest(body: bytes | None) -> Manifest:
    if body is None:
        return Manifest()
    try:
        found = msgspec.json.decode(body, type=Manifest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _refused(MANIFEST, f"cannot be read: {error}") from error
    if b"\\u0000" in body:
        raise _refused(MANIFEST, NO_TEXT)
    if found.wasm:
        raise _refused(MANIFEST, "names wasm resolvers; build the bundle with `opa build --target rego`")
    for root in found.roots:
        if any(_below(root.strip("/"), ours) for ours in OURS):
            raise _refused(MANIFEST, f"the root {root!r} belongs to the plane or to OPA; remove it")
    return found


def _below(path: str, root: str) -> bool:
    return not root or path == root or path.startswith(f"{root}/")


def _text(name: str, body: bytes) -> str:
    if (found := text(body)) is None:
        raise _refused(name, NO_TEXT)
    return found


def text(body: bytes) -> str | None:
    """A file as a set can keep it; None for what is no text. No database keeps NUL in a text."""
    try:
        return None if b"\0" in body else body.decode()
    except UnicodeDecodeError:
        return None


def _refused(name: str, rule: str) -> errors.Invalid:
    shown = name.encode("unicode_escape").decode()[:200]
    return errors.Invalid({f"{FIELD}/{shown}" if shown else FIELD: rule})
