"""How agents are told to do a task and to keep an app afterwards; what a task may touch."""

import datetime as dt

import msgspec

from plane.domain import annotations, fleet, objects
from plane.domain import apps as domain
from plane.domain.deciding import decide
from plane.domain.permitting import namespaces, projects
from plane.domain.planning import terms
from plane.domain.timing import schedules, windows
from plane.server import abilities, context
from plane.store.delivering import facts, states, tasks
from plane.wire import agent, permitted

KNOWN = 2  # of the times without healing that an agent was told ahead, it always knows so many


def options(spec: domain.AppSpec, made: decide.Apply | None) -> agent.Options:
    """How the agent is to do a task and to keep the app afterwards."""
    automated = spec.automated()
    wish = made.terms if made else terms.Terms()
    words = terms.over(spec.sync_policy.sync_options, wish.sync_options)
    creates = any(pair == ("CreateNamespace", "true") for word in words for pair in annotations.pairs(word))
    wanted = spec.sync_policy.managed_namespace_metadata
    ignore = tuple(
        agent.Ignore(
            group=rule.group,
            kind=rule.kind,
            namespace=rule.namespace,
            name=rule.name,
            pointers=rule.json_pointers,
            expressions=rule.jq_path_expressions,
            managers=rule.managed_fields_managers,
            types=tuple((one.field, one.type) for one in rule.known_type_fields),
        )
        for rule in spec.ignore_differences
    )
    return agent.Options(
        prune=bool(made and made.prune),
        self_heal=bool(automated and automated.self_heal),
        dry_run=bool(made and made.dry_run),
        force=bool(made and made.force),
        allow_empty=bool(automated and automated.allow_empty),
        create_namespace=spec.destination.namespace if creates else "",
        namespace_labels=wanted.labels if creates else {},
        namespace_annotations=wanted.annotations if creates else {},
        max_deletes=spec.blast_radius.max_deletes,
        max_percent=spec.blast_radius.max_percent,
        ignore=ignore,
        foreign=spec.drift.foreign,
        sync_options=spec.sync_policy.sync_options,
        once=agent.Once(**msgspec.structs.asdict(wish)),
    )


def kept(spec: domain.AppSpec, made: decide.Apply | None, *, last: decide.Attempt | None, digest: str) -> agent.Options:
    """The same after some objects of a release only: the agent must not heal the rest into a release that was never begun."""
    told, some = options(spec, made), made.terms.selective() if made else bool(last and last.terms.selective())
    return msgspec.structs.replace(told, self_heal=False) if some and not decide.deployed(last, digest) else told


def reach(cluster: facts.Cluster | None, rules: projects.Rules) -> agent.Scope:
    """What a task of an app may touch: the tenant's grant on the cluster, narrowed by the project."""
    if cluster is None:
        return agent.Scope()
    told = permitted.Rules(
        namespaces=projects.namespaces(rules, projects.Where(cluster.name, labels=cluster.labels)),
        cluster_allowed=_kinds(rules.cluster_resource_whitelist),
        cluster_denied=_kinds(rules.cluster_resource_blacklist) or (),
        namespace_allowed=_kinds(rules.namespace_resource_whitelist),
        namespace_denied=_kinds(rules.namespace_resource_blacklist) or (),
    )
    return agent.Scope(namespaces=cluster.grant.namespaces, cluster_kinds=cluster.grant.cluster_kinds, rules=told)


def _kinds(listed: tuple[projects.Kinds, ...] | None) -> tuple[permitted.Kinds, ...] | None:
    return None if listed is None else tuple(permitted.Kinds(one.group, one.kind, one.name) for one in listed)


def account(rules: projects.Rules, destination: domain.Destination) -> str:
    """As whom the agent writes: empty as itself, permitted.NOBODY where the project wants an account and has none for the place."""
    if not rules.destination_service_accounts:
        return ""
    return projects.account(rules, projects.Where(destination.cluster, destination.namespace)) or permitted.NOBODY


def no_account(rules: projects.Rules, destination: domain.Destination, cluster: facts.Cluster | None, *, project: str) -> str:
    """Why nothing can be written there, or the empty string: no account, somebody else's, or an agent that would write as itself."""
    wanted = account(rules, destination)
    if wanted == permitted.NOBODY:
        where = f"{destination.cluster}/{destination.namespace}"
        return f"{where} has no service account among the destinationServiceAccounts of project {project}; add an entry for it"
    if wanted and cluster and not fleet.lends(cluster.grant, wanted):
        granted = ", ".join(cluster.grant.namespaces) or "none"
        foreign = f"project {project} names the service account {wanted}, and the tenant is granted the namespaces {granted} of cluster"
        return f"{foreign} {cluster.name} alone; name an account in one of them"
    if wanted and cluster and not abilities.knows(cluster.capabilities, "accounts"):
        return abilities.sentence("accounts", cluster=cluster.name, version=cluster.agent_version)
    return ""


def bound(told: agent.Options, row: states.Row, *, tenant: str) -> agent.Options:
    """The options with what the project and the tenant add: as whom the agent writes, and what a new namespace begins with."""
    told = msgspec.structs.replace(told, run_as=account(row.rules, row.situation.spec.destination))
    begins = row.above.namespaces
    if not told.create_namespace or begins == namespaces.Template():
        return told
    return msgspec.structs.replace(
        told,
        namespace_labels={**told.namespace_labels, **begins.labels},
        namespace_annotations={**told.namespace_annotations, **begins.annotations},
        namespace_template=namespaces.documents(begins, tenant=tenant),
    )


def options_digest(row: states.Row) -> str:
    """What the next task's options would be; a change of it alone is worth a task."""
    spec = row.situation.spec
    automated = spec.automated()
    told = bound(options(spec, None), row, tenant="")  # what is not said is left out of the bytes
    return objects.digest(msgspec.msgpack.encode((told, bool(automated and automated.prune))))[:23]


def pauses(now: decide.Situation, at: dt.datetime) -> tuple[tuple[int, int], ...]:
    """When the agent leaves drift as it is, because no sync may start by itself then; empty where it heals nothing anyway."""
    automated = now.spec.automated()
    heals = (automated is not None and automated.self_heal) or now.spec.drift.foreign == "revert"
    return windows.pauses(now.calendar, now.target, now=at) if heals and now.calendar != schedules.Calendar() else ()


def outdated(told: tuple[tuple[int, int], ...], wanted: tuple[tuple[int, int], ...], at: dt.datetime) -> bool:
    """Whether an agent that was told of some pauses must hear of others."""
    now = int(at.timestamp())
    left = tuple((max(start, now), end) for start, end in told if not end or end > now)
    return left[:KNOWN] != wanted[:KNOWN]


def observe(plane: context.Plane, row: states.Row, last: decide.Attempt, *, tenant: str, trigger: str) -> tasks.New:
    """What the app was last given, once more, to be looked after and not to be applied."""
    told = kept(row.situation.spec, None, last=last, digest=last.digest)
    told = bound(told, row, tenant=tenant)
    task = agent.Task(
        id=plane.clock.id(),
        kind="observe",
        cluster_id=row.cluster_id,
        app_id=row.id,
        tenant=tenant,
        project=row.project,
        app=row.name,
        generation=last.generation,
        expires=0,  # set when it is claimed and signed
        release=last.digest,
        scope=reach(row.cluster, row.rules),
        options=msgspec.structs.replace(told, pauses=pauses(row.situation, plane.clock.now())),
    )
    return tasks.of(task, row.project_id, actor="agent" if trigger == "recall" else "plane", trigger=trigger)
