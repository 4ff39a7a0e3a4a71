"""One of every message with every field set, and its bytes in golden/. `python -m tests.wire.samples` writes files that are missing."""

import pathlib

import msgspec

from plane.wire import acting, agent, answers, journal, permitted, questions, scripted, views

GOLDEN = pathlib.Path(__file__).parent / "golden"
KEY = agent.Key("apps", "Deployment", "acme-shop", "web")
BUNDLE = agent.ReleaseBundle(
    digest="sha256:0f", body=b"body", sealed=(agent.SealedValue(KEY, "/data/key", b"ciphertext"),), key_id="0123456789abcdef"
)
OPTIONS = agent.Options(
    prune=True, self_heal=True, dry_run=True, force=True, allow_empty=True, create_namespace="acme-shop", max_deletes=3, max_percent=20,
    approved=True, sync_options=("PruneLast=true",),
    ignore=(agent.Ignore(group="apps", kind="*", namespace="acme-shop", name="web", pointers=("/spec/replicas",)),),
)  # fmt: skip
TASK = agent.Task(
    id="t1", kind="apply", cluster_id="c1", app_id="a1", tenant="acme", project="shop", app="web", generation=7, expires=1_800_000_000,
    release="sha256:0f", revision="8306448287da", sealed_digest="aa", query="live", keys=(KEY,), options=OPTIONS,
    scope=agent.Scope(namespaces=("acme-*",), cluster_kinds=("rbac.authorization.k8s.io/ClusterRole",)),
)  # fmt: skip
RULES = permitted.Rules(
    namespaces=("acme-*", "!acme-bank"),
    cluster_allowed=(permitted.Kinds("", "Namespace", "acme-*"),),
    cluster_denied=(permitted.Kinds("*", "ClusterRole"),),
    namespace_allowed=(permitted.Kinds("apps", "*"),),
    namespace_denied=(permitted.Kinds("", "Secret"),),
)
ONCE = agent.Once(resources=(":ConfigMap:web",), labels="tier=front", strategy="apply", sync_options=("Replace=true",))
IGNORE = agent.Ignore(group="apps", kind="Deployment", expressions=(".spec.template.spec.containers[].image",), managers=("keda",))
EXTRA = agent.Extra(pointer="/spec/paused", manager="kubectl-edit", time="2030-01-01T00:00:00Z")
CHECKS = scripted.Checks(
    cluster_id="c1", digest="aa",
    checks=(
        scripted.Check(name="widgets", group="x.example", kind="*", tenant="acme", local=True, lua="return {status = 'Healthy'}"),
        scripted.Check(name="gadgets", group="x.example", kind="Gadget", current="true", in_progress="false", failed="false"),
    ),
)  # fmt: skip
ACTIONS = scripted.ActionScripts(
    name="widgets", group="x.example", kind="*", tenant="acme", local=True,
    discovery="return {}", definitions={"go": "return obj"}, merge=True,
)  # fmt: skip
SCALE = acting.Action(
    name="scale", disabled=True, reason="no", parameters=(acting.Parameter(name="replicas", kind="count", default="2"),)
)  # fmt: skip
RESULT = agent.ObjectResult(key=KEY, result="Synced", message="created", phase="PreSync", wave=-1)
NODE = views.Node(
    group="", kind="Pod", namespace="shop", name="web-1", uid="u1", parents=("u0",), sync="Synced", health="Degraded", message="it crashes",
    created="2030-01-01T00:00:00Z", images=("registry.example/web:1",), ready="0/1", restarts=3,
)  # fmt: skip
EVENT = views.KubeEvent(
    type="Warning", reason="BackOff", message="restarting", group="", kind="Pod", namespace="shop", name="web-1", count=3,
    first="2030-01-01T00:00:00Z", last="2030-01-01T00:01:00Z", source="kubelet",
)  # fmt: skip
# What stands in `Task.terms`, `Piece.body` and `Final.live`; the latter two travel as JSON.
INSIDE: dict[str, msgspec.Struct] = {
    "question-subject": questions.Subject(kind="Deployment", name="web", group="apps", namespace="shop"),
    "question-logs": questions.Logs(
        kind="Deployment", name="web", group="apps", namespace="shop", container="main", all_containers=True, previous=True, since_s=60,
        since_time="2030-01-01T00:00:00Z", tail=10, filter="error", follow=True, timestamps=True, max_pods=5,
    ),
    "order-action": acting.Act(until=1_800_000_300, uid="u1", version="7", action="scale", at=1_800_000_000, parameters={"replicas": "3"}),
    "order-patch": acting.Change(until=1_800_000_300, body=b"[]", type="json", dry_run=True),
    "order-patch-judged": acting.Change(until=1_800_000_300, body=b"{}", judged="sha256:0f"),
    "order-delete": acting.Delete(until=1_800_000_300, propagation="orphan", grace_s=0),
    "answer-actions": acting.Listed(objects=(acting.Actions(key=KEY, uid="u1", version="7", actions=(SCALE,)),), cut=True),
    "answer-done": acting.Done(
        before="7", after="8", fields=("/spec/replicas",), created=(KEY,), warnings=("Git says otherwise",), body={"kind": "Pod"},
        problems={"action": "no such"},
    ),
    "answer-done-dry": acting.Done(before="7", after="7", digest="sha256:0f"),
    "answer-absent": answers.Absent(sentence="Pod shop/web-1 was not found"),
    "answer-manifests": answers.Manifests(live=views.Live(items=({"kind": "Pod"},), warnings=("cut",))),
    "answer-tree": answers.Tree(tree=views.Tree(nodes=(NODE,), edges=(views.Edge(source="u0", target="u1"),), warnings=("cut",))),
    "answer-events": answers.Events(events=views.KubeEvents(items=(EVENT,), warnings=("cut",))),
    "answer-logs": answers.Logs(warnings=("cut",)),
    "log-piece": views.LogPiece(
        sources=(views.LogSource(namespace="shop", pod="web-1", container="main"),), runs=(views.LogRun(source=0, lines=("ready",)),)
    ),
}  # fmt: skip
FACTS: dict[str, journal.Fact] = {
    "started": journal.Started("0.1.0", clean=False),
    "stopped": journal.Stopped(),
    "begun": journal.Begun("disk", "000001-aa", 7, "it was put back"),
    "missed": journal.Missed(3, "the disk was full"),
    "plane-lost": journal.PlaneLost(3.5, "no answer"),
    "plane-found": journal.PlaneFound(60.5),
    "task-begun": journal.TaskBegun("t1", "a1", "apply", 7, "sha256:0f"),
    "task-ended": journal.TaskEnded("t1", "a1", "apply", 7, "failed", "sha256:0f", "no", {"Synced": 1}, (RESULT,)),
    "drifted": journal.Drifted("a1", "sha256:0f", KEY, ("/spec",), "somebody", away=True),
    "healed": journal.Healed("a1", "sha256:0f", agent.Healed(key=KEY, at=3.5, action="update"), away=True),
}
MESSAGES: dict[str, msgspec.Struct] = {
    **INSIDE,
    "enrol": agent.Enrol(
        join_token="made-up", signing_key=b"s" * 32, sealing_key=b"x" * 32, proof=b"p" * 64,
        agent_version="0.1.0", kube_version="v1.36.3", installation="uid",
    ),
    "enrolled": agent.Enrolled(agent_id="g1", cluster_id="c1", cluster="east", plane_id="plane", task_key=b"k" * 32, generation=2),
    "rotate": agent.Rotate(signing_key=b"s" * 32, sealing_key=b"x" * 32, proof=b"p" * 64),
    "claim": agent.Claim(holds=("sha256:0f",), running=("t0",)),
    "claim-term": agent.Claim(term="agent-0/t1", installation="u1"),
    "claim-trouble": agent.Claim(trouble="the disk is full"),
    "claim-missing": agent.Claim(missing=("a2",)),
    "claim-projects": agent.Claim(checks="aa", projects=True),
    "claim-checks": agent.Claim(checks="aa"),
    "claimed-checks": agent.Claimed(checks=scripted.SignedChecks(payload=agent.encode(CHECKS), signature=b"e" * 64)),
    "checks": CHECKS,
    "checks-project": scripted.Checks(
        cluster_id="c1", digest="aa",
        checks=(scripted.Check(name="widgets", group="", kind="*", tenant="acme", project="shop", lua="return {}"),),
        actions=(msgspec.structs.replace(ACTIONS, project="shop"),),
    ),
    "checks-actions": scripted.Checks(cluster_id="c1", digest="aa", actions=(ACTIONS,)),
    "claimed": agent.Claimed(
        tasks=(agent.SignedTask(payload=(GOLDEN / "task.msgpack").read_bytes(), signature=b"e" * 64, bundle=BUNDLE),),
        lost=("t0",), lease_s=60,
    ),
    "piece": agent.Piece(task="t1", number=3, body=b"{}"),
    "heard": agent.Heard(listening=True),
    "claimed-rotate": agent.Claimed(rotate=True),
    "task": TASK,
    "task-terms": msgspec.structs.replace(TASK, kind="query", query="logs", terms=b"\x80"),
    "task-namespace": msgspec.structs.replace(
        TASK, options=agent.Options(create_namespace="acme-shop", namespace_labels={"team": "shop"}, namespace_annotations={"owner": "ann"})
    ),
    "task-types": msgspec.structs.replace(
        TASK, options=agent.Options(ignore=(agent.Ignore(group="x.example", kind="Widget", types=(("spec.size", "core/Quantity"),)),))
    ),
    "task-plan": msgspec.structs.replace(TASK, options=agent.Options(once=agent.Once(plan="sha256:0f"))),
    "task-once": msgspec.structs.replace(TASK, options=agent.Options(once=ONCE)),
    "task-ignore": msgspec.structs.replace(TASK, options=agent.Options(ignore=(IGNORE,))),
    "task-pauses": msgspec.structs.replace(TASK, options=agent.Options(pauses=((1_700_000_000, 1_700_003_600), (1_700_086_400, 0)))),
    "task-template": msgspec.structs.replace(TASK, options=agent.Options(create_namespace="acme-shop", namespace_template=(b"{}",))),
    "task-rules": msgspec.structs.replace(TASK, scope=agent.Scope(rules=RULES), options=agent.Options(run_as="acme-shop:deployer")),
    "task-foreign": msgspec.structs.replace(TASK, options=agent.Options(foreign="revert")),
    "bundle": BUNDLE,
    "events": agent.Events(
        progress=(agent.Progress(task="t1", phase="PostSync", wave=2, message="waits for a Job", results=(RESULT,)),),
        finals=(
            agent.Final(
                task="t1", app_id="a1", generation=7, outcome="refused", started=1.5, finished=2.5, message="1 applied",
                needs_approval=("it would delete a Namespace",), results=(RESULT,), live=b"{}",
            ),
        ),
    ),
    "events-fence": agent.Events(
        finals=(agent.Final(task="t1", app_id="a1", generation=7, outcome="superseded", started=1.5, finished=2.5, fence=9),)
    ),
    "events-unhealthy": agent.Events(
        finals=(agent.Final(task="t1", app_id="a1", generation=7, outcome="failed", started=1.5, finished=2.5, unhealthy=True),)
    ),
    "state": agent.State(
        apps=(
            agent.AppState(
                app_id="a1", generation=7, release="sha256:0f", sync="OutOfSync", health="Degraded", message="web: no pod", gone=(KEY,),
                objects=(agent.ObjectState(key=KEY, sync="OutOfSync", health="Degraded", message="no pod", fields=("/spec",), wave=3),),
                healed=(agent.Healed(key=KEY, at=3.5, action="update", fields=("/spec",), manager="somebody", failed="no"),), full=True,
            ),
        ),
        capabilities=agent.Capabilities(
            kube_version="v1.36.3", agent_version="0.1.0", kinds=(agent.Kind("apps", "v1", "Deployment", namespaced=True),), nodes=2
        ),
    ),
    "state-knows": agent.State(
        capabilities=agent.Capabilities(kube_version="v1.36.3", agent_version="0.1.0", knows=("once", "pauses", "rotate"))
    ),
    "state-fight": agent.State(
        apps=(
            agent.AppState(
                app_id="a1", generation=7, release="sha256:0f", sync="OutOfSync", health="Healthy",
                objects=(agent.ObjectState(key=KEY, sync="OutOfSync", fight="hpa writes /spec/replicas each time"),),
            ),
        ),
    ),
    "state-extra": agent.State(
        apps=(
            agent.AppState(
                app_id="a1", generation=7, release="sha256:0f", sync="Synced", health="Healthy",
                objects=(agent.ObjectState(key=KEY, extra=(EXTRA,), more_extra=2),),
                healed=(agent.Healed(key=KEY, at=3.5, action="update", fields=("/spec/paused",), manager="kubectl-edit", extra=True),),
            ),
        ),
    ),
    "state-noted": agent.State(
        apps=(
            agent.AppState(
                app_id="a1", generation=7, release="sha256:0f", sync="Synced", health="Healthy",
                healed=(agent.Healed(key=KEY, at=3.5, action="create", noted=True),),
            ),
        ),
    ),
    "accepted": agent.Accepted(stale=("t1",)),
    "journal": journal.Journal(
        id="000001-aa", frames=(journal.Frame(first=1, before=b"b" * 32, entries=(b"entry",), generation=1, signature=b"s" * 64),)
    ),
    "journal-known": journal.Known(seq=7, hash=b"h" * 32, refused="no"),
    **{f"journal-{name}": journal.Entry(7, 3.5, 1.5, fact) for name, fact in FACTS.items()},
}  # fmt: skip


if __name__ == "__main__":
    for name, message in MESSAGES.items():
        file = GOLDEN / f"{name}.msgpack"
        if not file.exists():
            file.write_bytes(agent.encode(message))
