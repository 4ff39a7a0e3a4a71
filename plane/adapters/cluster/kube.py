"""A Kubernetes API server, spoken to in bytes.

The package `kubernetes` reads the kubeconfig and makes the TLS context; requests go through one aiohttp session of our own, because its
client encodes every body again and decodes every answer, which costs more than the rest of an apply together.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import yarl
from kubernetes.aio import client, config
from kubernetes.aio.client import rest

from plane.domain import errors

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

# "identity": compressing a watch costs both sides more CPU than the bytes are worth inside a cluster.
HEADERS = {"User-Agent": "gitops-plane-agent", "Accept-Encoding": "identity"}
CONNECT_S = 10.0
ANSWER_S = 60.0  # the API server's own bound for a request that is no watch; bookmarks of a watch come about as often
SILENCE = 1.5  # a watch that is silent so many times as long as an answer may take is dead
CONNECTIONS = 256  # watches hold one each for ever; writers and streams are bounded elsewhere (applying/pace.py, answering/streams.py)
BUFFER_BYTES = 1024 * 1024  # of one connection, twice of which may wait to be read


class Unreachable(errors.PlaneError):
    """No answer from the API server: trying again may help."""

    code = "kube-unreachable"


class KubeConfigRefused(errors.PlaneError):
    """A kubeconfig that is absent or cannot be used."""

    code = "kubeconfig-refused"


class KubeRefused(errors.PlaneError):
    """The API server said no; `str()` is its own message. `reason` is Kubernetes' word, such as NotFound, Conflict or Invalid."""

    code = "kube-refused"
    fields = ("status", "reason")

    def __init__(self, status: int, reason: str, message: str, *, retry_after_s: float = 0.0) -> None:
        self.status, self.reason, self.retry_after_s = status, reason, retry_after_s
        super().__init__(message or f"HTTP {status} {reason}")


class _Status(msgspec.Struct):
    """metav1.Status as far as we read it."""

    message: str = ""
    reason: str = ""


_STATUS = msgspec.json.Decoder(_Status)


class Api:
    """One API server. Safe for many coroutines."""

    def __init__(self, session: aiohttp.ClientSession, settings: client.Configuration, *, answer_s: float, user: str = "") -> None:
        self.silence_s = SILENCE * answer_s
        self._session = session
        self._settings = settings
        self._server = yarl.URL(settings.host)
        self._prefix = self._server.path.rstrip("/")
        self._user = user

    def acting_as(self, user: str) -> "Api":
        """The same server and connections, with every request made in the name of a user; the server asks whether that is allowed."""
        return Api(self._session, self._settings, answer_s=self.silence_s / SILENCE, user=user)

    async def call(self, method: str, path: str, *, query: str = "", body: bytes | None = None, content_type: str = JSON) -> bytes:
        """The answer's body.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: from the API root, percent-encoded.
            query: encoded, without `?`.
            body: sent as it is.
            content_type: of the body.

        Raises:
            KubeRefused: any status from 400 on. Unreachable: no answer in time.
        """
        headers = await self._headers()
        headers["Content-Type"] = content_type
        try:
            async with self._session.request(method, self._url(path, query), data=body, headers=headers) as answer:
                payload = await answer.read()
                if answer.status >= 400:  # noqa: PLR2004 - HTTP's border between success and refusal
                    raise refusal(answer.status, payload, answer.headers.get("Retry-After", ""))
                return payload
        except (aiohttp.ClientError, TimeoutError, OSError) as e:
            raise Unreachable(f"the Kubernetes API server at {self._server.authority} does not answer: {_reason(e)}") from e

    async def get(self, path: str, *, query: str = "", accept: str = JSON) -> bytes:
        """GET with another representation."""
        headers = await self._headers() | {"Accept": accept, "Content-Type": JSON}
        try:
            async with self._session.get(self._url(path, query), headers=headers) as answer:
                payload = await answer.read()
                if answer.status >= 400:  # noqa: PLR2004
                    raise refusal(answer.status, payload, answer.headers.get("Retry-After", ""))
                return payload
        except (aiohttp.ClientError, TimeoutError, OSError) as e:
            raise Unreachable(f"the Kubernetes API server at {self._server.authority} does not answer: {_reason(e)}") from e

    @contextlib.asynccontextmanager
    async def stream(
        self, path: str, *, query: str, accept: str = JSON, silence_s: float, buffer_bytes: int = BUFFER_BYTES
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """A long answer, given up when nothing arrives for `silence_s`; raises as `call` does, also while it is read."""
        headers = await self._headers() | {"Accept": accept, "Content-Type": JSON}
        timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_S, sock_read=silence_s)
        try:
            asked = self._session.get(self._url(path, query), headers=headers, timeout=timeout, read_bufsize=buffer_bytes)
            async with asked as answer:
                if answer.status >= 400:  # noqa: PLR2004
                    raise refusal(answer.status, await answer.read(), answer.headers.get("Retry-After", ""))
                yield answer.content
        except (aiohttp.ClientError, TimeoutError, OSError) as e:
            raise Unreachable(f"the Kubernetes API server at {self._server.authority} broke off: {_reason(e)}") from e

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def _headers(self) -> dict[str, str]:
        token = await self._settings.get_api_key_with_prefix("BearerToken")
        said = {"Authorization": token} if token else {}
        return said | {"Impersonate-User": self._user} if self._user else said

    def _url(self, path: str, query: str) -> yarl.URL:
        return yarl.URL.build(
            scheme=self._server.scheme, authority=self._server.raw_authority, path=self._prefix + path, query_string=query, encoded=True
        )


async def connect(kubeconfig: str = "", *, context: str = "", answer_s: float = ANSWER_S) -> Api:
    """By kubeconfig, or as a pod of the cluster when none is named; KubeConfigRefused when neither works.

    answer_s: how long an answer may take.
    """
    settings = client.Configuration()
    try:
        if kubeconfig:
            await config.load_kube_config(  # type: ignore[no-untyped-call]  # the package has no types
                kubeconfig, context=context or None, client_configuration=settings, persist_config=False
            )
        else:
            config.load_incluster_config(settings)  # type: ignore[no-untyped-call]  # as above
        trust = rest.RESTClientObject(settings).ssl_context
    except (config.ConfigException, OSError, ValueError, KeyError, TypeError) as e:
        where = f"kubeconfig {kubeconfig}" if kubeconfig else "the pod's service account"
        raise KubeConfigRefused(f"{where} cannot be used: {_reason(e)}; name another with --kubeconfig and --context") from e
    connector = aiohttp.TCPConnector(limit=CONNECTIONS, ssl=trust, keepalive_timeout=60)
    timeout = aiohttp.ClientTimeout(total=answer_s, connect=CONNECT_S)
    session = aiohttp.ClientSession(connector=connector, timeout=timeout, read_bufsize=BUFFER_BYTES, headers=HEADERS)
    return Api(session, settings, answer_s=answer_s)


def refusal(status: int, payload: bytes, retry_after: str = "") -> KubeRefused:
    """The error of an answer; what is no metav1.Status (a proxy's page) is shortened to its first line."""
    try:
        said = _STATUS.decode(payload)
    except msgspec.MsgspecError:
        said = _Status(message=payload[:200].decode("utf-8", "replace").partition("\n")[0])
    return KubeRefused(status, said.reason, said.message, retry_after_s=_seconds(retry_after))


def decode(payload: bytes) -> dict[str, Any]:
    """An object's body as plain JSON data."""
    found: dict[str, Any] = msgspec.json.decode(payload, type=dict[str, Any])
    return found


async def pause(seconds: float) -> None:
    """Wait between attempts."""
    await asyncio.sleep(seconds)


def _seconds(text: str) -> float:
    return float(text) if text.isdigit() else 0.0


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
