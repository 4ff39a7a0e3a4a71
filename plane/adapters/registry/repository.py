"""A repository of an OCI registry: tags, manifests and blobs, all of them held to the digest they were asked for by.

Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md, pull.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence

import msgspec

from plane import ports
from plane.adapters import reach
from plane.adapters.registry import cosign, signatures, sigstore, tokens, transport
from plane.domain import errors, trust
from plane.domain.judging import artifacts, origins

ACCEPTED = (
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.oci.image.index.v1+json"  # refused, by a sentence of ours
)
MAX_LIST_BYTES = 1024 * 1024
MOST_TAGS = 1000
MAX_ERROR_BYTES = 64 * 1024  # of an answer that says no
DIGEST_HEADER = "docker-content-digest"
GIVEN, WHO, FORBIDDEN, ABSENT = 200, 401, 403, 404
UNKNOWN = frozenset({400, ABSENT, 405, 501})  # of registries that do not know a question


class _Tags(msgspec.Struct):
    tags: list[str] | None = None


def opener(way: reach.Reach) -> ports.OpenRegistry:
    """Registries within reach; nothing is asked before the first question."""
    return lambda remote: Repository(transport.Transport(way, ca_pem=remote.auth.ca_pem), remote)


class Repository:
    """`ports.Artifacts`."""

    def __init__(self, line: transport.Transport, remote: ports.GitRemote) -> None:
        host, _, self._name = remote.url.removeprefix(artifacts.SCHEME).rstrip("/").partition("/")
        self._base = f"https://{host}/v2/{self._name}"
        self._line, self._remote = line, remote
        self._authorization = ""

    def tags(self) -> int:
        """How many there are, a thousand at most."""
        answer = self._ask("GET", f"tags/list?n={MOST_TAGS}", most=MAX_LIST_BYTES)
        try:
            return len(msgspec.json.decode(answer.body, type=_Tags).tags or ())
        except (msgspec.DecodeError, RecursionError) as e:
            raise errors.BackendDown(transport.WHAT, f"{self._remote.url} does not answer as a registry does") from e

    def digest(self, tag: str) -> str:
        """Registries need not say it in the head of an answer; then it is counted."""
        answer = self._manifest("HEAD", tag)
        said = answer.headers.get(DIGEST_HEADER, "")
        if answer.status == ABSENT or artifacts.DIGEST.fullmatch(said):
            return said if answer.status != ABSENT else ""
        return _digest(self._manifest("GET", tag).body)

    def signed(self, digest: str, keys: Sequence[trust.Trusted]) -> origins.Signed:
        """By cosign, in this repository."""
        return signatures.judged(self._claims(digest), keys)

    def _claims(self, digest: str) -> Iterator[signatures.Claim]:
        beside = self._manifest("GET", cosign.tag(digest))
        if beside.status != ABSENT:
            where = f"{self._remote.url}:{cosign.tag(digest)}"
            yield from cosign.claims(artifacts.manifest(beside.body, where), digest, self._blob)
        for referrer in self._referrers(digest)[: sigstore.MOST_BUNDLES]:
            bundle = next(filter(sigstore.is_bundle, self._image(referrer.digest).layers), None)
            if bundle and (claim := sigstore.claim(self._blob(bundle), digest)):
                yield claim

    def _referrers(self, digest: str) -> tuple[artifacts.Descriptor, ...]:
        """As registries tell them; older ones have a tag for them, which clients keep."""
        answer = self._ask("GET", f"referrers/{digest}", most=artifacts.MAX_MANIFEST_BYTES, absent=UNKNOWN)
        if answer.status != GIVEN:
            answer = self._manifest("GET", digest.replace(":", "-"))
        return artifacts.index(answer.body) if answer.status == GIVEN else ()

    def pull(self, digest: str) -> artifacts.Pulled:
        """Sizes and counts are looked at before anything is fetched."""
        layers = artifacts.members(self._image(digest), f"{self._remote.url}@{digest}")
        if layers[0].media_type in artifacts.BUNDLES:
            return artifacts.Pulled(bundle=self._blob(layers[0]))
        return artifacts.Pulled(files={layer.annotations[artifacts.TITLE]: self._blob(layer) for layer in layers})

    def _image(self, digest: str) -> artifacts.Manifest:
        where = f"{self._remote.url}@{digest}"
        answer = self._manifest("GET", digest)
        if answer.status == ABSENT:
            raise errors.SourceRefused(f"{where}: there is no such artifact")
        self._hold(digest, answer.body)
        return artifacts.manifest(answer.body, where)

    def _blob(self, layer: artifacts.Descriptor) -> bytes:
        if not artifacts.DIGEST.fullmatch(layer.digest):
            raise errors.SourceRefused(f"{self._remote.url}: a layer has no SHA-256 digest")
        body = self._ask("GET", f"blobs/{layer.digest}", most=layer.size).body
        self._hold(layer.digest, body)
        return body

    def _hold(self, digest: str, body: bytes) -> None:
        if _digest(body) != digest:
            raise errors.SourceRefused(f"{self._remote.url}: what the registry gives for {digest[:19]}… is something else")

    def _manifest(self, method: str, reference: str) -> transport.Answer:
        return self._ask(method, f"manifests/{reference}", most=artifacts.MAX_MANIFEST_BYTES, absent=frozenset({ABSENT}))

    def _ask(self, method: str, path: str, *, most: int, absent: Collection[int] = ()) -> transport.Answer:
        """`absent`: what of other statuses is an answer. BackendDown, SourceRefused."""
        answer = self._once(method, path, most)
        if answer.status == WHO:
            challenge, scope = answer.headers.get("www-authenticate", ""), f"repository:{self._name}:pull"
            self._authorization = tokens.authorization(challenge, self._remote.auth, scope=scope, ask=self._line.ask)
            answer = self._once(method, path, most)
        if answer.status == GIVEN or answer.status in absent:
            return answer
        raise self._failure(answer.status)

    def _once(self, method: str, path: str, most: int) -> transport.Answer:
        headers = {"Accept": ACCEPTED} | ({"Authorization": self._authorization} if self._authorization else {})
        wish = transport.Wish(method, f"{self._base}/{path}", max(most, MAX_ERROR_BYTES), headers)
        return self._line.ask(wish)

    def _failure(self, status: int) -> errors.PlaneError:
        if status in {WHO, FORBIDDEN}:
            nobody = "a reader without a credential; name one in the repository's spec.credential"
            whom = "the credential" if self._remote.auth.password else nobody
            return errors.SourceRefused(f"{self._remote.url}: the registry refuses {whom}")
        if status == ABSENT:
            return errors.SourceRefused(f"{self._remote.url}: the registry has no such repository or blob")
        return errors.BackendDown(transport.WHAT, f"{self._remote.url}: the registry answered {status}")


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
