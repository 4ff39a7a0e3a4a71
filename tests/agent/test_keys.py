"""The agent's keys: exchanged when somebody asks, without a moment in which it cannot open or speak."""

import base64
import pathlib
import subprocess
import sys

from plane.domain import objects
from plane.domain.rendering import secrets
from tests.agent.conftest import Start
from tests.agent.kube import Body, Kube
from tests.agent.plane_end import PlaneEnd

OPEN = base64.b64encode(b"open").decode()


def secret(kube: Kube, name: str) -> tuple[Body, list[tuple[secrets.Place, bytes]]]:
    meta = {"name": name, "namespace": kube.namespace}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": {"word": "hmac-sha256:00"}}
    return body, [(secrets.Place(objects.ObjectKey("", "Secret", kube.namespace, name), "/data/word"), OPEN.encode())]


def rotate(kube: Kube, kubeconfig: pathlib.Path) -> str:
    command = [sys.executable, "-m", "plane", "agent", "rotate", "--kubeconfig", str(kubeconfig), "--namespace", kube.namespace]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60).stderr


def test_keys_are_exchanged_and_the_old_one_still_opens(
    start: Start, plane: PlaneEnd, kube: Kube, app: str, kubeconfig: pathlib.Path
) -> None:
    first = start()
    plane.wait(lambda: plane.capabilities is not None, first.log)
    body, sealed = secret(kube, "before")
    plane.final(plane.apply(app, body, sealed=sealed, self_heal=True))
    old = plane.key_id
    assert rotate(kube, kubeconfig) == ""
    plane.wait(lambda: plane.key_id != old, first.log)
    kube.until("secrets", "gitops-plane-agent", lambda found: found is not None and "rotate" not in found["data"])
    kube.patch("secrets", "before", {"data": {"word": base64.b64encode(b"shut").decode()}})
    kube.until("secrets", "before", lambda found: found is not None and found["data"]["word"] == OPEN)
    body, sealed = secret(kube, "after")
    assert plane.final(plane.apply(f"{app}-2", body, sealed=sealed)).outcome == "succeeded"
    first.kill()
    kube.delete("secrets", "before")
    start()
    kube.until("secrets", "before", lambda found: found is not None and found["data"]["word"] == OPEN)


def test_an_exchange_whose_answer_was_lost_is_ended_with_the_new_key(start: Start, plane: PlaneEnd, kube: Kube, app: str) -> None:
    agent = start()
    plane.wait(lambda: plane.capabilities is not None, agent.log)
    plane.deaf, old = True, plane.key_id
    plane.ask_rotation()
    plane.wait(lambda: plane.key_id != old, agent.log)
    body, sealed = secret(kube, "after")  # to the new key, which the agent does not know to be in force yet
    final = plane.final(plane.apply(app, body, sealed=sealed))
    assert final.outcome == "succeeded", final.message
    kube.until("secrets", "gitops-plane-agent", lambda found: found is not None and "older-sealing" in found["data"])


def test_asking_where_no_agent_is_says_so(kube: Kube, kubeconfig: pathlib.Path) -> None:
    assert "no agent has joined a plane from namespace" in rotate(kube, kubeconfig)
