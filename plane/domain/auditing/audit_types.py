"""Every type of event there is, and the published schema: a type keeps its name and meaning, a new meaning gets a new name."""

import difflib
from collections.abc import Iterable
from typing import Any

import msgspec

from plane.domain import descriptions
from plane.domain.auditing import agent_details, audit, cluster_details, details, people_details, policy_details, sync_details

DOCUMENTS = (
    "tenant",
    "project",
    "cluster",
    "repository",
    "credential",
    "app",
    "policy",
    "policybinding",
    "waiver",
    "healthcheck",
    "resourcerule",
    "sink",
    "identityprovider",
    "workloadtrust",
    "user",
    "role",
    "rolebinding",
)
WRITES = {"created": "was made", "updated": "was changed", "deleted": "was deleted"}
TYPES: dict[str, str] = {
    "access.login": "A token was used: for the first time, after an hour of silence, or from another address.",
    "access.login.refused": "Requests with tokens that do not hold: the first one, then how many there were since.",
    "access.denied": "Somebody was refused a change.",
    "access.approval.asked": "Somebody wants what needs a second person.",
    "access.approval.given": "A second person allowed it.",
    "access.approval.used": "It was done with that person's yes.",
    "access.glass.taken": "Somebody took a break-glass role, for a time and with a reason.",
    "access.glass.returned": "Somebody gave it back before its time.",
    "access.logins.ended": "A provider or trust rule became another or none, or vouches for somebody no more: what it had begun ended.",
    "access.person.created": "Somebody new may log in.",
    "access.person.disabled": "Somebody was shut out.",
    "access.person.enabled": "Somebody was let in again.",
    "access.role.granted": "A role was given.",
    "access.role.taken": "A role was taken.",
    "access.session.ended": "A browser's session was ended, by its owner or by somebody for them.",
    "access.token.issued": "A token was made.",
    "access.token.rotated": "A token was made in place of another, which ends after an overlap.",
    "access.token.revoked": "A token was ended.",
    "plane.started": "A program of the plane began to run, and with it its logging.",
    "plane.stopped": "A program of the plane was told to end.",
    "login.succeeded": "Somebody logged in at an identity provider, or a machine was vouched for by its own.",
    "login.locked": "Wrong passwords shut an account or an address out for a time.",
    "login.password.changed": "A local admin has another password.",
    "login.groups.changed": "An identity provider names other groups of somebody than before.",
    "token.created": "The first admin's token was made on the plane's own machine.",
    "agent.enrolled": "An agent joined a cluster to the plane.",
    "agent.quarantined": "Two agents used one identity; neither is given work or believed until the cluster joins anew.",
    "agent.enrol.refused": "A join token or a proof did not hold.",
    "agent.keys.rotated": "An agent has new keys.",
    "agent.rotation.asked": "Somebody asked an agent for new keys.",
    "agent.revoked": "An agent was shut out.",
    "agent.started": "An agent began to run, and with it its journal.",
    "agent.stopped": "An agent was told to end.",
    "agent.plane.lost": "An agent could not reach the plane.",
    "agent.plane.found": "It could again; what it did meanwhile follows from its journal.",
    "agent.journal.begun": "An agent began a new journal: on a new disk, or because the one before did not hold.",
    "agent.journal.broken": "An agent's journal has a hole or another past, or is not signed by the agent.",
    "cluster.granted": "A tenant may use a cluster, or another part of it than before.",
    "cluster.withdrawn": "A tenant may use a cluster no more; what it has there stays.",
    "cluster.join-token.issued": "A token for one enrolment was made.",
    "tenant.quota.reached": "A quota stopped something: the first time, and the first after an hour.",
    "tenant.keys.rewrapped": "Stored secrets went under another master key.",
    "repository.moved": "Revisions that apps follow are another commit: a look at the repository found that somebody had pushed.",
    "app.sync.asked": "Somebody asked for a sync.",
    "app.plan.kept": "Somebody kept a plan of what a sync would do.",
    "app.local-sync.asked": "Somebody asked for a sync of files of their own.",
    "app.sync.refused": "What was asked for cannot be done.",
    "app.sync.started": "Intent: an agent is told to apply a release.",
    "app.sync.completed": "Outcome: what came of it, object by object where it failed.",
    "app.sync.abandoned": "Outcome: the plane itself ended it before the agent did.",
    "app.sync.terminated": "Somebody ended a sync.",
    "app.sync.halted": "A hold, a window or a withdrawn grant ended what was under way.",
    "app.held": "Somebody stopped all syncs of an app.",
    "app.released": "Syncs may go on.",
    "project.held": "Somebody stopped all syncs of a project.",
    "project.released": "Syncs may go on.",
    "app.refresh.asked": "Somebody asked for a look at the repository.",
    "app.rollback.asked": "Somebody asked to go back.",
    "app.deletions.approved": "Somebody allowed the deletions of a release.",
    "app.release.refused": "Policy refused a release, or gave no answer; what ran before stays.",
    "app.release.held": "Policy wants somebody to look at a release before it goes out.",
    "app.release.approved": "Somebody looked at what policy wants looked at, and agreed.",
    "waiver.approved": "Somebody agreed to another's waiver.",
    "waiver.revoked": "Somebody ended a waiver.",
    "waiver.expiring": "A waiver ends soon.",
    "policy.refresh.asked": "Somebody asked for a look at the repository of a policy set.",
    "policy.source.accepted": "What a policy set's source has is in force now.",
    "policy.source.refused": "What a policy set's source has is not taken; what was in force stays.",
    "policy.preview.begun": "Somebody asked what a policy would do to what apps are now.",
    "policy.preview.ended": "It has been asked of all of them.",
    "policy.finding.opened": "Policies changed and would stop what an app is already; nothing of the app changed.",
    "policy.finding.closed": "Nothing stops what an app is any more.",
    "app.deletion.asked": "Somebody deleted an app.",
    "app.removal.started": "Intent: an agent is told to remove an app's objects.",
    "app.removal.completed": "Outcome: what came of it.",
    "app.task.recovered": "Outcome: what came of a task by the agent's journal, where nobody else had told it.",
    "app.removed": "An app is gone.",
    "app.drift.detected": "Objects differ from Git.",
    "app.drift.seen": "An agent saw an object differ from Git while the plane was away.",
    "app.drift.healed": "An agent put an object back, or could not.",
    "app.fence.overruled": "Somebody went on above a generation that the plane does not know, as after a restore.",
    "app.logs.read": "Somebody read a container's log.",
    "object.patch.requested": "Intent: a live object is to be changed.",
    "object.patch.refused": "Policy refused what a patch would make of a live object.",
    "object.patched": "Outcome: it was, or could not be.",
    "object.delete.requested": "Intent: a live object is to be deleted.",
    "object.deleted": "Outcome: it was, or could not be.",
    "object.action.requested": "Intent: an action on a live object.",
    "object.action.finished": "Outcome: what came of it.",
    "audit.read": "Somebody searched or followed the log, or asked for a proof.",
    "audit.exported": "Somebody took the log away as a file.",
    "audit.gap": "A change in a cluster of which nobody told the end.",
    "audit.gap.resolved": "Its end was told after all.",
    "audit.key.changed": "The log's states are signed with another key from the next one on.",
    "audit.witnessed": "A state of another plane's log was found to continue the one before it.",
    "audit.stamped": "A time-stamping authority said when a state of this log was there.",
    "audit.terms.changed": "How long events stay, or a legal hold, was changed.",
    "audit.retention.applied": "Events before a place left because their time was over; their leaves stay.",
    "audit.person.erased": "What is personal in somebody's events was forgotten.",
    "audit.mode.blocked": "A mandatory sink is too far behind: changes are refused.",
    "audit.mode.opened": "It caught up.",
    "sink.replayed": "A sink sends again from a place on.",
    **{f"{noun}.{verb}": f"A document of kind {noun} {what}." for noun in DOCUMENTS for verb, what in WRITES.items()},
}


# What `details` hold; a type that is not here has nothing more to say.
DETAILS: dict[str, type[details.Details]] = {
    "access.person.created": details.Person,
    "access.glass.taken": people_details.GlassTaken,
    "access.role.granted": details.Role,
    "access.role.taken": details.Role,
    "login.succeeded": details.LoggedIn,
    "login.locked": people_details.LockedOut,
    "login.password.changed": people_details.PasswordChanged,
    "login.groups.changed": details.GroupsChanged,
    "access.session.ended": people_details.Session,
    "access.logins.ended": people_details.LoginsEnded,
    "access.token.issued": details.Token,
    "access.token.rotated": details.Token,
    "access.token.revoked": details.Token,
    "agent.enrolled": agent_details.AgentKeys,
    "agent.enrol.refused": agent_details.AgentKeys,
    "agent.keys.rotated": agent_details.AgentKeys,
    "agent.quarantined": agent_details.Twins,
    "agent.started": agent_details.AgentStarted,
    "agent.stopped": agent_details.AgentStopped,
    "agent.plane.lost": agent_details.PlaneLost,
    "agent.plane.found": agent_details.PlaneFound,
    "agent.journal.begun": agent_details.JournalBegun,
    "agent.journal.broken": agent_details.JournalBroken,
    "tenant.keys.rewrapped": details.Rewrapped,
    "cluster.granted": cluster_details.Granted,
    "app.held": details.Held,
    "app.released": details.Held,
    "project.held": details.Held,
    "project.released": details.Held,
    "app.sync.asked": details.Asked,
    "app.local-sync.asked": details.Asked,
    "repository.moved": sync_details.Moved,
    "app.sync.started": sync_details.SyncStarted,
    "app.removal.started": sync_details.SyncStarted,
    "app.sync.completed": sync_details.SyncCompleted,
    "app.removal.completed": sync_details.SyncCompleted,
    "app.sync.abandoned": details.Gap,
    "app.sync.terminated": details.Terminated,
    "app.plan.kept": details.PlanKept,
    "object.patch.refused": details.PatchRefused,
    "app.rollback.asked": details.RollbackAsked,
    "app.deletions.approved": details.Approved,
    "app.release.approved": policy_details.ReleaseApproved,
    "waiver.approved": policy_details.Waived,
    "waiver.revoked": policy_details.Waived,
    "policy.source.accepted": policy_details.Sourced,
    "policy.preview.begun": policy_details.Previewed,
    "policy.preview.ended": policy_details.Previewed,
    "app.release.refused": policy_details.Found,
    "app.release.held": policy_details.Found,
    "policy.finding.opened": policy_details.Found,
    "policy.finding.closed": policy_details.Found,
    "app.task.recovered": agent_details.TaskRecovered,
    "app.drift.detected": details.DriftDetected,
    "app.drift.seen": details.DriftSeen,
    "app.drift.healed": details.Heal,
    "app.fence.overruled": details.Overruled,
    "app.logs.read": details.LogsRead,
    "object.patch.requested": details.Order,
    "object.patched": details.OrderDone,
    "object.delete.requested": details.Order,
    "object.deleted": details.OrderDone,
    "object.action.requested": details.Order,
    "object.action.finished": details.OrderDone,
    "access.login.refused": details.LoginsRefused,
    "plane.started": details.ProgramLife,
    "plane.stopped": details.ProgramLife,
    "audit.read": details.LogRead,
    "audit.exported": details.Exported,
    "audit.gap": details.Gap,
    "audit.gap.resolved": details.Gap,
    "audit.key.changed": details.KeyChanged,
    "audit.witnessed": details.LogState,
    "audit.stamped": details.Stamped,
    "audit.terms.changed": details.TermsChanged,
    "audit.retention.applied": details.Expired,
    "audit.person.erased": details.Erased,
    "audit.mode.blocked": details.Behind,
    "audit.mode.opened": details.Behind,
    "sink.replayed": details.Replayed,
    **{f"{noun}.{verb}": details.Written for noun in DOCUMENTS for verb in WRITES},
}


def unknown(words: Iterable[str]) -> str:
    """Which of these words, types or beginnings with `*`, means no type at all, and what may have been meant; empty: each means some."""
    return next((_unlike(word) for word in words if not _meant(word)), "")


def _meant(word: str) -> bool:
    stem = word.removesuffix("*")
    return word in TYPES or (stem != word and any(kind.startswith(stem) for kind in TYPES))


def _unlike(word: str) -> str:
    families = {f"{kind[: kind.rindex('.')]}.*" for kind in TYPES}
    near = difflib.get_close_matches(word, sorted([*TYPES, *families]), n=3)
    beginnings = sorted({f"{kind.partition('.')[0]}.*" for kind in TYPES})
    said = f"did you mean {' or '.join(near)}?" if near else f"they begin with {', '.join(beginnings)}"
    return f"there are no events of type {word[:100]!r}; {said}"


def schema() -> dict[str, Any]:
    """JSON Schema of one event, with what each type means; `details` of a document's write hold it before and after."""
    shapes = sorted(set(DETAILS.values()), key=lambda shape: shape.__name__)
    (made, *_), components = msgspec.json.schema_components([audit.Event, details.Details, *shapes], ref_template="#/$defs/{name}")
    parts = descriptions.cleaned(components)
    for shape in shapes:
        parts[shape.__name__].pop("required", None)  # an event of an older version may know less
    event = parts["Event"]
    event["properties"]["type"] = {"oneOf": [{"const": name, "description": TYPES[name]} for name in sorted(TYPES)]}
    event["properties"]["schema"] = {"const": "gitops-plane.io/audit/v1"}
    event["allOf"] = [
        *(_shaped(shape.__name__, sorted(name for name, of in DETAILS.items() if of is shape)) for shape in shapes),
        {"if": {"properties": {"stage": {"enum": ["intent", "outcome"]}}, "required": ["stage"]}, "then": {"required": ["target"]}},
    ]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "gitops-plane.io/audit/v1"}
    return {**head, **made, "$defs": parts}


def _shaped(shape: str, types: list[str]) -> dict[str, Any]:
    then = {"properties": {"details": {"$ref": f"#/$defs/{shape}"}}}
    return {"if": {"properties": {"type": {"enum": types}}, "required": ["type"]}, "then": then}
