"""What a client behind the proxy sees, with a real API server behind it."""

import json
import ssl
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
import yaml

from tests.support import faultproxy, waiting

ANY = "/api/v1/namespaces/[^/]+/configmaps.*"


@pytest.fixture
def client(fault_proxy: faultproxy.FaultProxy) -> Iterator[httpx.Client]:
    config = yaml.safe_load(fault_proxy.kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    tls = ssl.create_default_context(cadata=faultproxy.decoded(cluster, "certificate-authority-data").decode())
    headers = {"Authorization": f"Bearer {user['token']}"}
    with httpx.Client(base_url=cluster["server"], headers=headers, verify=tls, timeout=waiting.PATIENCE_S, trust_env=False) as client:
        yield client


@pytest.fixture
def path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def create(client: httpx.Client, path: str) -> int:
    return client.post(path, json={"metadata": {"name": "one"}, "data": {"key": "value"}}).status_code


def names(client: httpx.Client, path: str) -> set[str]:
    return {item["metadata"]["name"] for item in client.get(path).json()["items"]} - {"kube-root-ca.crt"}


def watch(client: httpx.Client, path: str, *, read_s: float = waiting.PATIENCE_S) -> AbstractContextManager[httpx.Response]:
    query = {"watch": "true", "fieldSelector": "metadata.name=one"}
    return client.stream("GET", path, params=query, timeout=httpx.Timeout(waiting.PATIENCE_S, read=read_s))


def event(lines: Iterator[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(next(lines))
    return found


def test_without_rules_all_goes_through_and_is_counted(fault_proxy: faultproxy.FaultProxy, client: httpx.Client, path: str) -> None:
    assert create(client, path) == 201
    assert names(client, path) == {"one"}
    assert [(one.method, one.status) for one in fault_proxy.requests] == [("POST", 201), ("GET", 200)]
    assert fault_proxy.count(method="POST", path=ANY, status=201) == 1


@pytest.mark.parametrize(("code", "reason"), [(409, "Conflict"), (422, "Invalid"), (500, "InternalError"), (503, "ServiceUnavailable")])
def test_a_status_comes_as_kubernetes_sends_it(
    fault_proxy: faultproxy.FaultProxy, client: httpx.Client, path: str, code: int, reason: str
) -> None:
    fault_proxy.add(faultproxy.Rule(faultproxy.Status(code), path=ANY))
    answer = client.get(path)
    body = answer.json()
    assert (answer.status_code, body["kind"], body["code"], body["reason"]) == (code, "Status", code, reason)


def test_too_many_requests_says_when_to_come_again(fault_proxy: faultproxy.FaultProxy, client: httpx.Client, path: str) -> None:
    fault_proxy.add(faultproxy.Rule(faultproxy.Status(429, retry_after_s=7)))
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json()["details"] == {"retryAfterSeconds": 7}


def test_a_rule_strikes_its_method_so_many_times(fault_proxy: faultproxy.FaultProxy, client: httpx.Client, path: str) -> None:
    fault_proxy.add(faultproxy.Rule(faultproxy.Status(500), method="POST", path=ANY, times=2))
    assert names(client, path) == set()
    assert [create(client, path) for _ in range(3)] == [500, 500, 201]


def test_a_removed_rule_strikes_no_more(fault_proxy: faultproxy.FaultProxy, client: httpx.Client, path: str) -> None:
    rule = fault_proxy.add(faultproxy.Rule(faultproxy.Status(503)))
    assert create(client, path) == 503
    fault_proxy.remove(rule)
    assert create(client, path) == 201


def test_a_delayed_request_arrives(fault_proxy: faultproxy.FaultProxy, client: httpx.Client, path: str) -> None:
    fault_proxy.add(faultproxy.Rule(faultproxy.Delay(0.2)))
    began = time.monotonic()
    assert create(client, path) == 201
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(("applied", "left"), [(False, set()), (True, {"one"})], ids=["lost on the way", "answer lost"])
def test_a_dropped_connection_may_or_may_not_have_done_its_work(
    fault_proxy: faultproxy.FaultProxy, client: httpx.Client, path: str, *, applied: bool, left: set[str]
) -> None:
    fault_proxy.add(faultproxy.Rule(faultproxy.Drop(applied=applied), method="POST"))
    with pytest.raises(httpx.TransportError):
        create(client, path)
    assert names(client, path) == left
    assert fault_proxy.count(method="POST", status=0) == 1


def test_a_half_open_connection_never_answers(fault_proxy: faultproxy.FaultProxy, client: httpx.Client, path: str) -> None:
    fault_proxy.add(faultproxy.Rule(faultproxy.Hang()))
    with pytest.raises(httpx.ReadTimeout):
        client.get(path, timeout=httpx.Timeout(waiting.PATIENCE_S, read=0.3))


def test_a_watch_streams_each_event_as_it_happens(client: httpx.Client, path: str) -> None:
    with watch(client, path) as answer:
        lines = answer.iter_lines()
        create(client, path)
        assert event(lines)["type"] == "ADDED"
        client.delete(f"{path}/one")
        assert event(lines)["type"] == "DELETED"


def test_a_watch_is_cut_after_so_many_events(fault_proxy: faultproxy.FaultProxy, client: httpx.Client, path: str) -> None:
    fault_proxy.add(faultproxy.Rule(faultproxy.CutWatch(events=1)))
    create(client, path)
    with watch(client, path) as answer:
        lines = answer.iter_lines()
        assert event(lines)["type"] == "ADDED"
        with pytest.raises(httpx.TransportError):
            next(lines)


def test_a_frozen_watch_stays_open_and_silent(fault_proxy: faultproxy.FaultProxy, client: httpx.Client, path: str) -> None:
    fault_proxy.add(faultproxy.Rule(faultproxy.FreezeWatch()))
    create(client, path)
    with pytest.raises(httpx.ReadTimeout), watch(client, path, read_s=0.5) as answer:
        next(answer.iter_lines())
    fault_proxy.until(method="GET", path=path, status=200)  # it was opened


def test_a_watch_can_be_told_that_its_history_is_gone(fault_proxy: faultproxy.FaultProxy, client: httpx.Client, path: str) -> None:
    fault_proxy.add(faultproxy.Rule(faultproxy.GoneWatch()))
    with watch(client, path) as answer:
        found = event(answer.iter_lines())
    assert (found["type"], found["object"]["code"], found["object"]["reason"]) == ("ERROR", 410, "Expired")


def test_other_credentials_are_handed_on(client: httpx.Client) -> None:
    assert client.get("/api/v1/nodes", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_only_its_owner_may_read_the_kubeconfig(fault_proxy: faultproxy.FaultProxy) -> None:
    assert fault_proxy.kubeconfig.stat().st_mode & 0o077 == 0
