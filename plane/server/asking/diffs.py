"""Git against the cluster at this moment: the agent is asked for its live objects, the plane compares."""

from typing import Any

import msgspec

from plane.domain import annotations, errors, objects, options, resource_rules
from plane.domain import apps as domain
from plane.domain.comparing import diff, ignoring
from plane.domain.deciding import decide
from plane.server import authorise, context, tasking
from plane.server import documents as generic
from plane.server.asking import questions
from plane.server.keeping import apps
from plane.store import documents as rows
from plane.store.delivering import resource_rules as rules
from plane.store.showing import apps as store
from plane.store.showing import history
from plane.wire import agent, answers, bundle, rest

FINGERPRINT = "hmac-sha256:"
_ACTIONS: dict[str, diff.Action] = {"create": "create", "update": "update", "delete": "delete"}
Body = dict[str, Any]


class Live(msgspec.Struct, frozen=True):
    """One object of the agent's answer, as plane.agent.query gives it; `diff` is against the release that the agent holds.

    `owners`: its managedFields, which `live` lacks; agents of older versions do not tell them.
    """

    key: objects.ObjectKey
    live: Body | None
    diff: str
    owners: list[Any] = []

    def owned(self) -> Body | None:
        """The live object with its managedFields."""
        return {**self.live, "metadata": {**self.live["metadata"], "managedFields": self.owners}} if self.live else None


class Answered(msgspec.Struct, frozen=True):
    """The whole answer."""

    objects: tuple[Live, ...]


def ask(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: rest.DiffQuery) -> questions.Asked:
    """Queue the question for the app's agent. An agent of an older version passes over the release, and tells live objects alone.

    Raises:
        Conflict: there is nothing to compare with yet. BackendDown: no agent is there to answer.
    """
    with authorise.enter(plane, caller, names, "app:get") as place:
        row = questions.released(place)
        return put(plane, place, row, (row.digest, row.commit), ignored=query.ignored)


def put(plane: context.Plane, place: authorise.Place, row: rows.Row, release: tuple[str, str], *, ignored: bool) -> questions.Asked:
    """Queue the question about a release of the app, by digest and commit."""
    digest, _ = release
    keys = {objects.key_of(body) for body in _bodies(place, row.id, digest)} | {
        _key(state.key) for state in history.objects(place.tx, place.scope.tenant, row.id)
    }
    spec = resource_rules.over(msgspec.convert(row.spec, domain.AppSpec), rules.load(place.tx))
    options_ = tasking.options(spec, None)
    wish = answers.Wish(ignored=True) if ignored else None
    return questions.put(plane, place, row, questions.Question("live", tuple(sorted(keys)), wish, release=digest, options=options_))


def answer(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: questions.Asked) -> rest.Diff | None:
    """The comparison, or None while the agent has not answered."""
    with authorise.enter(plane, caller, names, "app:get") as place:
        said = store.answer(place.tx, place.scope.tenant, asked.task)
        if not said.outcome:
            return None
        if said.problem:
            raise errors.BackendDown("agent", said.problem)
        row = generic.existing(apps.KIND, place)
        if told := _told(said.live):
            return shown(told, release=row.digest, commit=row.commit)
        whole = decide.full(msgspec.convert(row.attempt, decide.Attempt)) if row.attempt else None
        deployed = whole.digest if whole else ""
        wanted = _bodies(place, row.id, row.digest)
        before = _bodies(place, row.id, deployed) if deployed.startswith("sha256:") else []
    found = {each.key: each for each in msgspec.json.decode(said.live, type=Answered).objects}
    spec = msgspec.convert(row.spec, domain.AppSpec)
    items = compare(wanted, before, found, rules=spec.ignore_differences, query=plane.scripts.paths)
    extra = additions(wanted, found, spec, query=plane.scripts.paths) if spec.drift.foreign != "ignore" else ()
    return rest.Diff(release=row.digest, commit=row.commit, items=items, extra=extra)


def answer_of(release: tuple[str, str]) -> Any:  # noqa: ANN401 - a use case
    """As `answer`, of another release than the newest, by digest and commit; Conflict where the agent cannot compare by itself."""

    def heard(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: questions.Asked) -> rest.Diff | None:
        with authorise.enter(plane, caller, names, "app:get") as place:
            said = store.answer(place.tx, place.scope.tenant, asked.task)
        if not said.outcome:
            return None
        if said.problem:
            raise errors.BackendDown("agent", said.problem)
        told = _told(said.live)
        if told is None:
            message = f"the agent of cluster {asked.cluster} is too old to compare with local files; upgrade it"
            raise errors.Conflict(message)
        return shown(told, release=release[0], commit=release[1])

    return heard


def _told(live: bytes) -> answers.Diff | None:
    """What an agent that compares by itself says."""
    try:
        return msgspec.json.decode(live, type=answers.Diff)
    except msgspec.ValidationError:
        return None


def shown(told: answers.Diff, *, release: str, commit: str) -> rest.Diff:
    """The agent's words as the API's."""
    items, extra, ignored = [], [], []
    for one in told.changes:
        key = {"group": one.key.group, "kind": one.key.kind, "namespace": one.key.namespace, "name": one.key.name}
        if one.action:
            items.append(rest.Difference(action=_ACTIONS[one.action], fields=one.fields, diff=one.diff, former=one.former, **key))
        if one.ignored:
            ignored.append(rest.Ignored(diff=one.ignored, **key))
        if one.extra:
            extra.append(rest.Addition(extra=tuple(rest.Extra(each.pointer, each.manager, each.time) for each in one.extra), **key))
    return rest.Diff(release=release, commit=commit, items=tuple(items), extra=tuple(extra), ignored=tuple(ignored))


def compare(
    wanted: list[Body],
    before: list[Body],
    found: dict[objects.ObjectKey, Live],
    *,
    rules: tuple[domain.IgnoreDifference, ...],
    query: ignoring.Query,
) -> tuple[rest.Difference, ...]:
    """What an apply of `wanted` would change. `before`: the release deployed now; equal fingerprints are equal secret values."""
    deployed = {objects.key_of(body): body for body in before}
    items = []
    for body in wanted:
        key = objects.key_of(body)
        live, rule = found[key].owned() if key in found else None, ignoring.rules(key, rules)
        desired = level(body, live, deployed.get(key))
        change = diff.compare_under(desired, live, rule, query)
        if change:
            items.append(_item(key, change.action, change.fields, diff.text_under(desired, live, rule, query)))
    kept = {objects.key_of(body) for body in wanted}
    gone = [each for key, each in sorted(found.items()) if key not in kept and each.live is not None and not _stands(each.live)]
    return (*items, *(_item(each.key, "delete", (), diff.text(None, each.live)) for each in gone))


def additions(
    wanted: list[Body], found: dict[objects.ObjectKey, Live], spec: domain.AppSpec, *, query: ignoring.Query
) -> tuple[rest.Addition, ...]:
    """What others added to wanted objects, by object."""
    items = []
    for body in wanted:
        key = objects.key_of(body)
        live = found[key].owned() if key in found else None
        added = ignoring.extras(body, live, ignoring.rules(key, spec.ignore_differences), query) if live else ()
        told = tuple(rest.Extra(one.pointer, one.manager, one.time) for one in added)
        if told:
            items.append(rest.Addition(group=key.group, kind=key.kind, namespace=key.namespace, name=key.name, extra=told))
    return tuple(items)


def _stands(live: Body) -> bool:
    """Whether its compare option IgnoreExtraneous lets it stand beside what Git wants."""
    return options.seen(annotations.of(live)).ignore_extraneous is True


def level(desired: Any, live: Any, deployed: Any) -> Any:  # noqa: ANN401 - JSON
    """Git's object with the live value wherever its fingerprint is the deployed one: a masked value cannot be compared otherwise."""
    if isinstance(desired, dict):
        return {name: level(value, _in(live, name), _in(deployed, name)) for name, value in desired.items()}
    if isinstance(desired, list):
        return [level(value, _in(live, n), _in(deployed, n)) for n, value in enumerate(desired)]
    same = isinstance(desired, str) and FINGERPRINT in desired and desired == deployed and live is not None
    return live if same else desired


def _in(body: Any, step: str | int) -> Any:  # noqa: ANN401 - JSON
    if isinstance(body, dict):
        return body.get(step)
    return body[step] if isinstance(body, list) and isinstance(step, int) and step < len(body) else None


def _item(key: objects.ObjectKey, action: diff.Action, fields: tuple[str, ...], text: str) -> rest.Difference:
    return rest.Difference(group=key.group, kind=key.kind, namespace=key.namespace, name=key.name, action=action, fields=fields, diff=text)


def _bodies(place: authorise.Place, app: str, digest: str) -> list[Body]:
    found = history.release(place.tx, place.scope.tenant, app, digest)
    return [msgspec.json.decode(body) for body in bundle.unpack(found.digest, bytes(found.body))] if found else []


def _key(key: agent.Key) -> objects.ObjectKey:
    return objects.ObjectKey(key.group, key.kind, key.namespace, key.name)
