"""Policy sets in an OCI registry: how they are named, and which layers of an image make a set.

Source: the OCI image and distribution specifications 1.1; the media types of OPA's bundle service and of `conftest push`.
"""

import re

import msgspec

from plane.domain import errors
from plane.domain.judging import bundles, policy_sources

SCHEME = "oci://"
MAX_URL = 2048
MAX_MANIFEST_BYTES = 4 * 1024 * 1024  # what registries have to take, by the specification
MAX_PACKED_BYTES = bundles.MAX_BYTES
TITLE = "org.opencontainers.image.title"
BUNDLES = frozenset({
    "application/vnd.oci.image.layer.v1.tar+gzip",  # what OPA's own bundle service reads
    "application/vnd.cncf.openpolicyagent.layer.v1.tar+gzip",
    "application/vnd.cncf.flux.content.v1.tar+gzip",  # `flux push artifact`
})  # fmt: skip
FILES = frozenset({
    "application/vnd.cncf.openpolicyagent.policy.layer.v1+rego",  # `conftest push`: one layer for each file
    "application/vnd.cncf.openpolicyagent.data.layer.v1+json",
})  # fmt: skip
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_HOST = r"(?!-)[A-Za-z0-9-]{1,63}(?:\.(?!-)[A-Za-z0-9-]{1,63})*|\[[0-9A-Fa-f:.]+\]"
_WORD = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_ADDRESS = re.compile(rf"oci://(?:{_HOST})(?::[1-9][0-9]{{0,4}})?/{_WORD}(?:/{_WORD})*/?", re.ASCII)


class Descriptor(msgspec.Struct, frozen=True, rename="camel"):
    """A blob by its digest."""

    media_type: str
    digest: str
    size: int
    annotations: dict[str, str] = {}


class Manifest(msgspec.Struct, frozen=True):
    """An image's, as far as it matters here; what its config says is nothing that a set needs."""

    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[msgspec.Raw, ...] = ()  # an index has these instead


class _Index(msgspec.Struct):
    manifests: tuple[Descriptor, ...] = ()


class Pulled(msgspec.Struct, frozen=True):
    """An artifact's layers: one bundle, or files by name."""

    bundle: bytes = b""
    files: dict[str, bytes] = {}


def is_registry(url: str) -> bool:
    """Whether an address of a repository is a registry's and not Git's."""
    return url.startswith(SCHEME)


def address_problem(url: str) -> str:
    """Why this is no repository of a registry, or the empty string; never repeats the address, which may hold a password."""
    if len(url) > MAX_URL or not _ADDRESS.fullmatch(url):
        return "must be oci://HOST/REPOSITORY in small letters, without user, tag or digest; spec.source.targetRevision names those"
    return ""


def reference_problem(revision: str) -> str:
    """Why this names no artifact of a repository, or the empty string."""
    if revision != "HEAD" and (_TAG.fullmatch(revision) or DIGEST.fullmatch(revision)):
        return ""
    return "must be a tag, or a digest (sha256:…) for a set that never changes"


def manifest(body: bytes, where: str) -> Manifest:
    """SourceRefused: it is no image's. `where`: the artifact, as sentences name it."""
    try:
        found = msgspec.json.decode(body, type=Manifest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise errors.SourceRefused(f"{where}: its manifest cannot be read: {error}") from error
    if found.manifests:
        raise errors.SourceRefused(f"{where}: is an index of several images; name the one that holds the policy set")
    return found


def index(body: bytes) -> tuple[Descriptor, ...]:
    """What refers to an artifact, as a registry lists it; nothing where it is no list."""
    try:
        found = msgspec.json.decode(body, type=_Index).manifests
    except (msgspec.DecodeError, RecursionError):
        return ()
    return tuple(one for one in found if DIGEST.fullmatch(one.digest))


def members(found: Manifest, where: str) -> tuple[Descriptor, ...]:
    """The layers that the set is made of; SourceRefused when there are none, or more than may be pulled."""
    packed = [layer for layer in found.layers if layer.media_type in BUNDLES]
    files = [layer for layer in found.layers if layer.media_type in FILES]
    if why := _bundle_problem(packed) if packed else _files_problem(files):
        raise errors.SourceRefused(f"{where}: {why}")
    return tuple(packed or files)


def _bundle_problem(layers: list[Descriptor]) -> str:
    if len(layers) > 1:
        return f"has {len(layers)} layers that are bundles, and OPA would read the first alone; push one"
    return _size_problem(layers, MAX_PACKED_BYTES)


def _files_problem(layers: list[Descriptor]) -> str:
    names = [layer.annotations.get(TITLE, "") for layer in layers]
    if not layers:
        return "has neither an OPA bundle (a layer of application/vnd.oci.image.layer.v1.tar+gzip) nor files as `conftest push` keeps them"
    if len(layers) > policy_sources.MAX_FILES:
        return f"has more than {policy_sources.MAX_FILES:,} files; split the set"
    if not all(names) or len(set(names)) < len(names):
        return f"has files without a name, or two of one name ({TITLE})"
    return _size_problem(layers, MAX_PACKED_BYTES)


def _size_problem(layers: list[Descriptor], most: int) -> str:
    if any(layer.size < 0 or not DIGEST.fullmatch(layer.digest) for layer in layers):
        return "has a layer without a size or a SHA-256 digest"
    if sum(layer.size for layer in layers) > most:
        return f"has more than {most:,} bytes; split the set"
    return ""
