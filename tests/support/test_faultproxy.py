"""What a client behind the proxy sees, with a real API server behind it."""

import asyncio
import json
import pathlib
import ssl
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import yaml

from plane.run.devcluster import clusters
from tests.support import faultproxy

CONFIGMAPS = "/api/v1/namespaces/{}/configmaps"
ANY = "/api/v1/namespaces/[^/]+/configmaps.*"


@asynccontextmanager
async def client(proxy: faultproxy.FaultProxy) -> AsyncIterator[aiohttp.ClientSession]:
    config = yaml.safe_load(proxy.kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    tls = ssl.create_default_context(cadata=faultproxy.decoded(cluster, "certificate-authority-data").decode())
    headers = {"Authorization": f"Bearer {user['token']}"}
    async with aiohttp.ClientSession(cluster["server"], headers=headers, connector=aiohttp.TCPConnector(ssl=tls)) as session:
        yield session
    for _ in range(10):  # a TLS connection that is cut off needs a few turns of the loop to close its socket
        await asyncio.sleep(0)


async def create(session: aiohttp.ClientSession, namespace: str, name: str = "one") -> int:
    async with session.post(CONFIGMAPS.format(namespace), json={"metadata": {"name": name}, "data": {"key": "value"}}) as answer:
        return answer.status


async def names(session: aiohttp.ClientSession, namespace: str) -> set[str]:
    async with session.get(CONFIGMAPS.format(namespace)) as answer:
        return {item["metadata"]["name"] for item in (await answer.json())["items"]} - {"kube-root-ca.crt"}


async def event(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await asyncio.wait_for(answer.content.readline(), 10))
    return found


def watch(session: aiohttp.ClientSession, namespace: str, name: str = "one") -> Any:  # noqa: ANN401 aiohttp names this type privately
    return session.get(CONFIGMAPS.format(namespace), params={"watch": "true", "fieldSelector": f"metadata.name={name}"})


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)


def test_without_rules_all_goes_through_and_is_counted(fault_proxy: faultproxy.FaultProxy, namespace: str) -> None:
    async def main() -> None:
        async with client(fault_proxy) as session:
            assert await create(session, namespace) == 201
            assert await names(session, namespace) == {"one"}

    run(main())
    assert [(one.method, one.status) for one in fault_proxy.requests] == [("POST", 201), ("GET", 200)]
    assert fault_proxy.count(method="POST", path=ANY, status=201) == 1


@pytest.mark.parametrize(("code", "reason"), [(409, "Conflict"), (422, "Invalid"), (500, "InternalError"), (503, "ServiceUnavailable")])
def test_a_status_comes_as_kubernetes_sends_it(fault_proxy: faultproxy.FaultProxy, namespace: str, code: int, reason: str) -> None:
    async def main() -> None:
        async with client(fault_proxy) as session, session.get(CONFIGMAPS.format(namespace)) as answer:
            body = await answer.json()
            assert (answer.status, body["kind"], body["code"], body["reason"]) == (code, "Status", code, reason)

    fault_proxy.add(faultproxy.Rule(faultproxy.Status(code), path=ANY))
    run(main())


def test_too_many_requests_says_when_to_come_again(fault_proxy: faultproxy.FaultProxy, namespace: str) -> None:
    async def main() -> None:
        async with client(fault_proxy) as session, session.get(CONFIGMAPS.format(namespace)) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
            assert (await answer.json())["details"] == {"retryAfterSeconds": 7}

    fault_proxy.add(faultproxy.Rule(faultproxy.Status(429, retry_after_s=7)))
    run(main())


def test_a_rule_strikes_its_method_so_many_times(fault_proxy: faultproxy.FaultProxy, namespace: str) -> None:
    async def main() -> None:
        async with client(fault_proxy) as session:
            assert await names(session, namespace) == set()
            assert [await create(session, namespace) for _ in range(3)] == [500, 500, 201]

    fault_proxy.add(faultproxy.Rule(faultproxy.Status(500), method="POST", path=ANY, times=2))
    run(main())


def test_a_removed_rule_strikes_no_more(fault_proxy: faultproxy.FaultProxy, namespace: str) -> None:
    async def main() -> None:
        async with client(fault_proxy) as session:
            rule = fault_proxy.add(faultproxy.Rule(faultproxy.Status(503)))
            assert await create(session, namespace) == 503
            fault_proxy.remove(rule)
            assert await create(session, namespace) == 201

    run(main())


def test_a_delayed_request_arrives(fault_proxy: faultproxy.FaultProxy, namespace: str) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with client(fault_proxy) as session:
            began = loop.time()
            assert await create(session, namespace) == 201
            assert loop.time() - began >= 0.2

    fault_proxy.add(faultproxy.Rule(faultproxy.Delay(0.2)))
    run(main())


@pytest.mark.parametrize("applied", [False, True], ids=["lost on the way", "answer lost"])
def test_a_dropped_connection_may_or_may_not_have_done_its_work(fault_proxy: faultproxy.FaultProxy, namespace: str, applied: bool) -> None:  # noqa: FBT001 a parameter
    async def main() -> None:
        async with client(fault_proxy) as session:
            with pytest.raises(aiohttp.ClientConnectionError):
                await create(session, namespace)
            assert await names(session, namespace) == ({"one"} if applied else set())

    fault_proxy.add(faultproxy.Rule(faultproxy.Drop(applied=applied), method="POST"))
    run(main())
    assert fault_proxy.count(method="POST", status=0) == 1


def test_a_half_open_connection_never_answers(fault_proxy: faultproxy.FaultProxy, namespace: str) -> None:
    async def main() -> None:
        async with client(fault_proxy) as session:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(names(session, namespace), 0.3)

    fault_proxy.add(faultproxy.Rule(faultproxy.Hang()))
    run(main())


def test_a_watch_streams_each_event_as_it_happens(fault_proxy: faultproxy.FaultProxy, namespace: str) -> None:
    async def main() -> None:
        async with client(fault_proxy) as session, watch(session, namespace) as answer:
            await create(session, namespace)
            assert (await event(answer))["type"] == "ADDED"
            await session.delete(f"{CONFIGMAPS.format(namespace)}/one")
            assert (await event(answer))["type"] == "DELETED"

    run(main())


def test_a_watch_is_cut_after_so_many_events(fault_proxy: faultproxy.FaultProxy, namespace: str) -> None:
    async def main() -> None:
        async with client(fault_proxy) as session:
            await create(session, namespace)
            async with watch(session, namespace) as answer:
                assert (await event(answer))["type"] == "ADDED"
                with pytest.raises(aiohttp.ClientError):
                    await asyncio.wait_for(answer.content.readline(), 10)

    fault_proxy.add(faultproxy.Rule(faultproxy.CutWatch(events=1)))
    run(main())


def test_a_frozen_watch_stays_open_and_silent(fault_proxy: faultproxy.FaultProxy, namespace: str) -> None:
    async def main() -> None:
        async with client(fault_proxy) as session, watch(session, namespace) as answer:
            await create(session, namespace)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(answer.content.readline(), 0.3)

    fault_proxy.add(faultproxy.Rule(faultproxy.FreezeWatch()))
    run(main())


def test_a_watch_can_be_told_that_its_history_is_gone(fault_proxy: faultproxy.FaultProxy, namespace: str) -> None:
    async def main() -> None:
        async with client(fault_proxy) as session, watch(session, namespace) as answer:
            found = await event(answer)
            assert (found["type"], found["object"]["code"], found["object"]["reason"]) == ("ERROR", 410, "Expired")

    fault_proxy.add(faultproxy.Rule(faultproxy.GoneWatch()))
    run(main())


def test_other_credentials_are_handed_on(fault_proxy: faultproxy.FaultProxy, cluster: clusters.DevCluster) -> None:
    async def main() -> None:
        async with client(fault_proxy) as session, session.get("/api/v1/nodes", headers={"Authorization": "Bearer nonsense"}) as answer:
            assert answer.status == 401

    run(main())


def test_only_its_owner_may_read_the_kubeconfig(fault_proxy: faultproxy.FaultProxy, tmp_path: pathlib.Path) -> None:
    assert fault_proxy.kubeconfig.stat().st_mode & 0o077 == 0
