"""Every type of event there is, and the published schema: a type keeps its name and meaning, a new meaning gets a new name."""

from typing import Any

import msgspec

from plane.domain.auditing import audit

DOCUMENTS = (
    "tenant",
    "project",
    "cluster",
    "repository",
    "credential",
    "app",
    "policy",
    "healthcheck",
    "sink",
    "user",
    "role",
    "rolebinding",
)
WRITES = {"created": "was made", "updated": "was changed", "deleted": "was deleted"}
TYPES: dict[str, str] = {
    "access.denied": "Somebody was refused a change.",
    "access.person.created": "Somebody new may log in.",
    "access.person.disabled": "Somebody was shut out.",
    "access.person.enabled": "Somebody was let in again.",
    "access.role.granted": "A role was given.",
    "access.role.taken": "A role was taken.",
    "access.token.issued": "A token was made.",
    "access.token.revoked": "A token was ended.",
    "token.created": "The first admin's token was made on the plane's own machine.",
    "agent.enrolled": "An agent joined a cluster to the plane.",
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
    "cluster.join-token.issued": "A token for one enrolment was made.",
    "tenant.keys.rewrapped": "Stored secrets went under another master key.",
    "app.sync.asked": "Somebody asked for a sync.",
    "app.plan.kept": "Somebody kept a plan of what a sync would do.",
    "app.local-sync.asked": "Somebody asked for a sync of files of their own.",
    "app.sync.refused": "What was asked for cannot be done.",
    "app.sync.started": "Intent: an agent is told to apply a release.",
    "app.sync.completed": "Outcome: what came of it, object by object where it failed.",
    "app.sync.abandoned": "Outcome: the plane itself ended it before the agent did.",
    "app.sync.terminated": "Somebody ended a sync.",
    "app.sync.halted": "A hold ended what was under way.",
    "app.refresh.asked": "Somebody asked for a look at the repository.",
    "app.rollback.asked": "Somebody asked to go back.",
    "app.deletions.approved": "Somebody allowed the deletions of a release.",
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
    "audit.exported": "Somebody took the log away as a file.",
    "audit.gap": "A change in a cluster of which nobody told the end.",
    "audit.gap.resolved": "Its end was told after all.",
    "audit.terms.changed": "How long events stay, or a legal hold, was changed.",
    "audit.retention.applied": "Events before a place left because their time was over; their leaves stay.",
    "audit.person.erased": "What is personal in somebody's events was forgotten.",
    "audit.mode.blocked": "A mandatory sink is too far behind: changes are refused.",
    "audit.mode.opened": "It caught up.",
    "sink.replayed": "A sink sends again from a place on.",
    **{f"{noun}.{verb}": f"A document of kind {noun} {what}." for noun in DOCUMENTS for verb, what in WRITES.items()},
}


def schema() -> dict[str, Any]:
    """JSON Schema of one event, with what each type means; `details` of a document's write hold it before and after."""
    (made,), parts = msgspec.json.schema_components([audit.Event], ref_template="#/$defs/{name}")
    event = parts["Event"]
    event["properties"]["type"] = {"oneOf": [{"const": name, "description": TYPES[name]} for name in sorted(TYPES)]}
    event["properties"]["schema"] = {"const": "gitops-plane.io/audit/v1"}
    writes = [f"{noun}.{verb}" for noun in DOCUMENTS for verb in WRITES]
    sides = {"type": "object", "properties": {"before": {"type": "object"}, "after": {"type": "object"}}}
    event["allOf"] = [
        {"if": {"properties": {"type": {"enum": sorted(writes)}}, "required": ["type"]}, "then": {"properties": {"details": sides}}},
        {"if": {"properties": {"stage": {"enum": ["intent", "outcome"]}}, "required": ["stage"]}, "then": {"required": ["target"]}},
    ]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "gitops-plane.io/audit/v1"}
    return {**head, **made, "$defs": parts}
