"""Orders about one live object: an action, a patch, a deletion. Only what is the app's is touched, by a field manager of their own."""

import datetime as dt
from typing import Any

import msgspec

from plane.adapters.cluster import kube, kube_kinds
from plane.agent.answering import belongs, descent, masking, naming, otherwise, question
from plane.agent.applying import apply, asking, guard, refusals
from plane.agent.kept import releases
from plane.domain import errors, objects
from plane.domain.acting import actions, merge_patch
from plane.domain.comparing import merging
from plane.wire import acting, agent, answers, questions, signing

Body = dict[str, Any]
MOST_OBJECTS = 200  # per list
TRIES = 4  # when somebody else writes the object at the same moment
MOST_FIELDS = 100
PATCH_MANAGER = "gitops-plane-patch"  # what people patch is an addition like anybody else's; what an action writes is not
TYPES = {"merge": kube.MERGE_PATCH, "json": "application/json-patch+json", "strategic": "application/strategic-merge-patch+json"}
MARKS = ("labels", agent.OWNER_LABEL), ("annotations", agent.OWNER_ANNOTATION)
BOOKKEEPING = ("managedFields", "resourceVersion", "generation")


class _Target(msgspec.Struct, frozen=True):
    """The object that an order is about, as it lives."""

    key: objects.ObjectKey
    body: Body
    root: objects.ObjectKey
    resource: kube_kinds.Resource

    @property
    def path(self) -> str:
        return kube_kinds.key_path(self.resource, self.key)

    @property
    def version(self) -> str:
        return str(self.body["metadata"]["resourceVersion"])


async def listed(asked: question.Asked) -> bytes:
    """The actions of the object that the question names by its key or in a person's words, or of all of the app's own that have any."""
    wanted, keys = asked.terms(questions.Subject), asked.task.keys
    if keys or wanted.kind:
        one = await (belongs.find(asked, releases.key_of(keys[0])) if keys else naming.find(asked, wanted))
        return answers.encode(acting.Listed(objects=(await _shown(asked, one.body, one.root),)))
    own = [one for one in await descent.roots(asked) if _possible(asked, *one.kind)]
    found = await descent.bodies(asked, own[:MOST_OBJECTS])
    shown = [await _shown(asked, found[key], key) for key in sorted(found)]
    return answers.encode(acting.Listed(objects=tuple(shown), cut=len(own) > MOST_OBJECTS))


async def act(asked: question.Asked) -> bytes:
    """Do an action; one that says nothing new changes nothing."""
    order = asked.terms(acting.Act)
    try:
        return await _insisting(asked, order, _act)
    except errors.Invalid as e:
        return answers.encode(acting.Done(problems=e.problems))


async def patch(asked: question.Asked) -> bytes:
    """Patch the object, after the API server has shown what becomes of it."""
    return await _insisting(asked, asked.terms(acting.Change), _patch)


async def delete(asked: question.Asked) -> bytes:
    """Delete the object that is there now, and none that takes its name meanwhile."""
    order = asked.terms(acting.Delete)
    target = await _target(asked, order)
    pinned = {"uid": target.body["metadata"]["uid"]} | ({"resourceVersion": order.version} if order.version else {})
    options: Body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": apply.PROPAGATION[order.propagation]}
    options |= {"preconditions": pinned} | ({"gracePeriodSeconds": order.grace_s} if order.grace_s >= 0 else {})
    await _ask(asked, target, "DELETE", target.path, msgspec.json.encode(options), kube.JSON)
    left = await asked.applier.get(target.key, target.resource.api_version)
    left = left if left and left["metadata"]["uid"] == target.body["metadata"]["uid"] else None
    warnings = (*otherwise.of_deletion(asked, target.key), *_held(left))
    after = left["metadata"]["resourceVersion"] if left else ""
    return answers.encode(acting.Done(before=target.version, after=after, warnings=warnings))


def _possible(asked: question.Asked, group: str, kind: str) -> bool:
    """Whether objects of a kind have actions, of ours or users' own."""
    return actions.any_for(group, kind) or asked.there.custom.find(asked.whose, group, kind) is not None


async def _shown(asked: question.Asked, body: Body, root: objects.ObjectKey) -> acting.Actions:
    key, meta = objects.key_of(body), body["metadata"]
    source = asked.there.custom.find(asked.whose, key.group, key.kind)
    found = await asked.there.custom.of(source, _masked(asked, body, root)) if source else actions.of(body)
    told = msgspec.convert(msgspec.to_builtins(found), tuple[acting.Action, ...])
    return acting.Actions(key=releases.wire_key(key), uid=meta["uid"], version=meta["resourceVersion"], actions=told)


async def _wanted(asked: question.Asked, order: acting.Act, target: "_Target") -> actions.Change:
    """What the action does; a script looks at the object without its secret values."""
    now = dt.datetime.fromtimestamp(order.at, dt.UTC)
    source = asked.there.custom.find(asked.whose, target.key.group, target.key.kind)
    if source is None:
        return actions.change(target.body, order.action, order.parameters, now=now)
    masked = _masked(asked, target.body, target.root)
    made = await asked.there.custom.change(source, masked, order.action, order.parameters, now=now)
    _check(target, merge_patch.apply(target.body, made.patch))
    return made


def _masked(asked: question.Asked, body: Body, root: objects.ObjectKey) -> Body:
    return masking.veil(asked.there, asked.task.app_id).over(body, root)


async def _target(asked: question.Asked, order: acting.Order) -> _Target:
    """TaskRefused when the order came too late, or the object is not the one it is meant for."""
    if asked.there.now() > order.until + signing.SKEW_S:
        raise guard.TaskRefused("the order reached the agent too late and was not carried out; give it again")
    key = releases.key_of(asked.task.keys[0])
    found = await belongs.find(asked, key)
    meta = found.body["metadata"]
    if order.uid and order.uid != meta["uid"]:
        raise guard.TaskRefused(f"{key} is another object of that name by now; look at it and give the order again")
    if order.version and order.version != meta["resourceVersion"]:
        raise guard.TaskRefused(
            f"{key} was changed meanwhile (resourceVersion {meta['resourceVersion']}); look at it and give the order again"
        )
    return _Target(key, found.body, found.root, await asked.applier.resource(key))


async def _insisting(asked: question.Asked, order: Any, work: Any) -> bytes:  # noqa: ANN401 - an order, and what carries it out
    """Look again and do it anew when somebody wrote the object between looking and writing: nothing was done then."""
    for left in reversed(range(TRIES)):
        target = await _target(asked, order)
        try:
            done: acting.Done = await work(asked, order, target)
        except refusals.Refused as e:
            if e.status != asking.CONFLICT or order.version or not left:
                raise
        else:
            return answers.encode(done)
    raise AssertionError


async def _act(asked: question.Asked, order: acting.Act, target: _Target) -> acting.Done:
    wanted = await _wanted(asked, order, target)
    for body in wanted.create:
        _check_made(asked.task, body)
    body = target.body
    for number, step in enumerate(actions.patches(wanted)):
        body = await _write(asked, target, step, first=not number)
    created = [await _create(asked, target, body) for body in wanted.create]
    fields, version = merge_patch.pointers(wanted.patch), body["metadata"]["resourceVersion"]
    warnings = await otherwise.of_change(asked, target.key) if fields else ()
    return acting.Done(
        before=target.version, after=version, fields=fields, created=tuple(map(releases.wire_key, created)), warnings=warnings
    )


async def _write(asked: question.Asked, target: _Target, step: actions.Patch, *, first: bool) -> Body:
    """One part of an action's patch; a kind without that subresource takes it with the rest.

    The first is held to the version that was looked at; once that is written the action is under way, and is not thought over again.
    """
    pinned = {"uid": target.body["metadata"]["uid"]} | ({"resourceVersion": target.version} if first else {})
    body = msgspec.json.encode(merge_patch.apply(step.body, {"metadata": pinned}))
    query = f"fieldManager={merging.ACTION_MANAGER}"
    path = f"{target.path}/{step.subresource}" if step.subresource else target.path
    try:
        return kube.decode(await _ask(asked, target, "PATCH", f"{path}?{query}", body, kube.MERGE_PATCH))
    except refusals.Refused as e:
        if e.status != asking.NOT_FOUND or not step.subresource:
            raise
        return kube.decode(await _ask(asked, target, "PATCH", f"{target.path}?{query}", body, kube.MERGE_PATCH))


async def _create(asked: question.Asked, target: _Target, body: Body) -> objects.ObjectKey:
    """Create what an action makes; a child that is there from the same order is done already."""
    key = objects.key_of(body)
    resource = await asked.there.kinds.resolve(body["apiVersion"], key.kind)
    path = f"{resource.path(key.namespace)}?fieldManager={merging.ACTION_MANAGER}"
    try:
        await _ask(asked, target, "POST", path, msgspec.json.encode(body), kube.JSON)
    except refusals.Refused as e:
        owners = body["metadata"].get("ownerReferences")
        there = await asked.applier.get(key, body["apiVersion"]) if e.status == asking.CONFLICT and owners else None
        if there is None or there["metadata"].get("ownerReferences") != owners:
            raise refusals.Refused(str(e)) from None  # not a conflict that looking again would solve
    return key


async def _patch(asked: question.Asked, order: acting.Change, target: _Target) -> acting.Done:
    payload = _pinned(order, target)
    query = f"fieldManager={PATCH_MANAGER}&fieldValidation=Strict"
    would = kube.decode(await _ask(asked, target, "PATCH", f"{target.path}?{query}&dryRun=All", payload, TYPES[order.type]))
    _check(target, would)
    digest = _digest(_masked(asked, would, target.root))
    if order.judged and order.judged != digest:
        raise guard.TaskRefused(
            f"{target.key} was changed meanwhile, so the patch would make something else of it than policy looked at; give it again"
        )
    body = would
    if not order.dry_run:
        body = kube.decode(await _ask(asked, target, "PATCH", f"{target.path}?{query}", payload, TYPES[order.type]))
    fields = merge_patch.pointers(merge_patch.between(_plain(target.body), _plain(body)))
    warnings = await otherwise.of_change(asked, target.key) if fields and not order.dry_run else ()
    return acting.Done(
        before=target.version,
        after=body["metadata"]["resourceVersion"],
        fields=fields[:MOST_FIELDS],
        warnings=warnings,
        body=_masked(asked, body, target.root),
        digest=digest if order.dry_run else "",
    )


def _digest(masked: Body) -> str:
    """Names what rules can look at; a controller that writes the status meanwhile changes nothing of it."""
    return objects.digest(objects.canonical({part: value for part, value in _plain(masked).items() if part != "status"}))


def _pinned(order: acting.Change, target: _Target) -> bytes:
    """The patch, held to the version that was looked at."""
    meta = target.body["metadata"]
    body = msgspec.json.decode(order.body)
    if order.type == "json":
        tests = [{"op": "test", "path": "/metadata/uid", "value": meta["uid"]}]
        tests += [{"op": "test", "path": "/metadata/resourceVersion", "value": order.version}] if order.version else []
        return msgspec.json.encode([*tests, *body])
    return msgspec.json.encode(merge_patch.apply(body, {"metadata": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}}))


def _check(target: _Target, would: Body) -> None:
    """TaskRefused when a patch makes another app's object of it, or nobody's."""
    before, after = target.body["metadata"], would["metadata"]
    for part, name in MARKS:
        if (before.get(part) or {}).get(name) != (after.get(part) or {}).get(name):
            raise guard.TaskRefused(f"the patch changes {name}, by which the plane knows whose {target.key} is; leave it out")
    if before.get("ownerReferences") != after.get("ownerReferences"):
        raise guard.TaskRefused(f"the patch changes the owners of {target.key}, by which the plane knows whose it is; leave them out")


def _check_made(task: agent.Task, body: Body) -> None:
    """TaskRefused for an object outside the task's scope, or one that is made out to be another app's."""
    key = objects.key_of(body)
    guard.check_key(task, key)
    if (body["metadata"].get("labels") or {}).get(agent.OWNER_LABEL) not in {None, task.app_id}:
        raise guard.TaskRefused(f"the action makes {key} with {agent.OWNER_LABEL} of another app; leave that label out")


def _plain(body: Body) -> Body:
    """Without what every write changes."""
    return {**body, "metadata": {name: value for name, value in body["metadata"].items() if name not in BOOKKEEPING}}


def _held(left: Body | None) -> tuple[str, ...]:
    finalizers = (left["metadata"].get("finalizers") or []) if left else []
    return (f"it goes when its finalizers are done: {', '.join(finalizers)}",) if finalizers else ()


async def _ask(asked: question.Asked, target: _Target, method: str, path: str, payload: bytes, content_type: str) -> bytes:
    """One request, made once; Refused in the API server's words, masked."""
    path, _, query = path.partition("?")
    try:
        return await asked.applier.once(method, path, query, payload, content_type)
    except kube.KubeRefused as e:
        sentence = masking.veil(asked.there, asked.task.app_id).text(refusals.explained(e, target.key))
        raise refusals.Refused(sentence, status=e.status) from None  # the chained text could quote a value
