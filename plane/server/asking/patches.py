"""Patches of one live object: tried by the API server, judged by the app's policies as they would leave the object, then ordered."""

from collections.abc import Callable
from typing import Any

import msgspec

from plane.domain import access, errors, objects
from plane.domain.acting import patching
from plane.domain.auditing import details
from plane.domain.judging import policy
from plane.server import authorise, context, record
from plane.server import documents as generic
from plane.server.asking import actions, questions
from plane.server.delivering import beside, deliver, judge, prepare
from plane.server.keeping import apps
from plane.store import documents as rows
from plane.store.showing import history
from plane.wire import acting, bundle, ordered

Body = dict[str, Any]


class Tried(msgspec.Struct, frozen=True):
    """What the patch would make of the object, and what policy says of that."""

    asked: questions.Asked
    done: acting.Done
    verdict: policy.Verdict

    def shown(self) -> ordered.Ordered:
        """The answer to a dry run."""
        made = actions.shown(self.asked, self.done)
        return msgspec.structs.replace(made, warnings=(*made.warnings, *_warnings(self.verdict)))


def ask(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, body: ordered.PatchObject) -> questions.Asked:
    """Ask the agent for a dry run; Invalid when it is no patch, or carries secret values."""
    broken = patching.problems(body.type, body.patch, secret=(body.group, body.kind) == ("", "Secret"))
    if broken:
        raise errors.Invalid(broken)
    authorise.scope(plane, caller, names, access.on_kind("object:patch", body.group, body.kind))
    with authorise.enter(plane, caller, names, "app:get") as place:
        row = generic.existing(apps.KIND, place)
        actions.check(place, row, actions.key_of(body))
        return questions.put(plane, place, row, _question(plane, body, dry_run=True))


def judging(body: ordered.PatchObject) -> Callable[..., Tried | None]:
    """What judges the dry run once it is there; a refusal is in the log."""

    def judge(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: questions.Asked) -> Tried | None:
        done = actions.heard(plane, caller, names, asked)
        if done is None:
            return None
        key = actions.key_of(body)
        with authorise.enter(plane, caller, names, "app:get") as place:
            row = generic.existing(apps.KIND, place)
            bodies = _beside(place, row, done.body or {}, key)
        verdict = _about(_verdict(plane, place.scope.tenant, row, bodies), key)
        if not verdict.allowed():
            _refuse(plane, caller, names, asked, key, verdict)
        return Tried(asked, done, verdict)

    return judge


def order(
    plane: context.Plane, caller: authorise.Caller, names: authorise.Names, body: ordered.PatchObject, tried: Tried
) -> questions.Asked:
    """Order what was judged, and nothing else. The log keeps which fields changed and what policy said, never the patch."""
    question = _question(plane, body, judged=tried)
    said = tried.verdict.policies, _warnings(tried.verdict)
    told = details.Order(object=str(actions.key_of(body)), type=body.type, policies=said[0], warnings=said[1])
    permission = access.on_kind("object:patch", body.group, body.kind)
    return actions.put(plane, caller, names, actions.Order(question, permission, told))


def _question(plane: context.Plane, body: ordered.PatchObject, *, dry_run: bool = False, judged: Tried | None = None) -> questions.Question:
    """An agent that does not name what would become is held to the version that it looked at."""
    terms = acting.Change(
        until=int(plane.clock.now().timestamp()) + actions.TTL_S,
        uid=body.uid,
        version=judged.done.before if judged and not judged.done.digest else body.resource_version,
        body=msgspec.json.encode(body.patch),
        type=body.type,
        dry_run=dry_run,
        judged=judged.done.digest if judged else "",
    )
    return questions.Question("patch", (actions.key_of(body),), terms, writes=True)


def _beside(place: authorise.Place, row: rows.Row, patched: Body, key: objects.ObjectKey) -> tuple[Body, ...]:
    """The release with the object as it would be: rules may look at what stands beside it."""
    found = history.release(place.tx, place.scope.tenant, row.id, row.digest) if row.digest else None
    others = [msgspec.json.decode(one, type=Body) for one in bundle.unpack(found.digest, bytes(found.body))] if found else []
    return (*(one for one in others if objects.key_of(one) != key), patched)


def _verdict(plane: context.Plane, tenant: str, row: rows.Row, bodies: tuple[Body, ...]) -> policy.Verdict:
    scope = access.Scope(tenant, access.SYSTEM)
    [app], shared = deliver.load(plane, scope, [row.id])
    manifests = tuple(objects.Manifest(objects.key_of(one), str(one.get("apiVersion", "")), one) for one in bodies)
    [known] = beside.of(plane, scope, [beside.Subject(app, manifests, prepare.reads(app, shared))])
    return prepare.verdict(plane, app, shared, manifests, judge.Origin(row.commit or ""), known)


def _about(verdict: policy.Verdict, key: objects.ObjectKey) -> policy.Verdict:
    """What is said of the object itself. Nobody can approve a patch, so a rule that asks for that refuses it."""
    said = (one for one in verdict.judged if one.violation.object == str(key))
    strict = (msgspec.structs.replace(one, mode="deny") if one.mode == "require-approval" else one for one in said)
    return msgspec.structs.replace(verdict, judged=tuple(strict))


def _refuse(
    plane: context.Plane,
    caller: authorise.Caller,
    names: authorise.Names,
    asked: questions.Asked,
    key: objects.ObjectKey,
    verdict: policy.Verdict,
) -> None:
    sentence = policy.sentence(verdict)
    rules = tuple(f"{one.policy}/{one.rule}" for one in verdict.blocking())
    with authorise.enter(plane, caller, names, "app:get") as place:
        about = record.Facts(cluster=asked.cluster, correlation=asked.task, message=sentence, outcome="denied")
        apps.note(plane, place, "object.patch.refused", told=details.PatchRefused(object=str(key), rules=rules), **about)
    raise policy.PolicyRefused(verdict)


def _warnings(verdict: policy.Verdict) -> tuple[str, ...]:
    """What policy only remarks on."""
    return tuple(
        f"policy {one.violation.policy}/{one.violation.rule}: {one.violation.message}"
        for one in verdict.judged
        if one.mode == "warn" and not one.waiver
    )
