"""What policy decided of releases, deciding it again, and which rules apps break."""

from litestar.handlers import HTTPRouteHandler

from plane.api import calls
from plane.server.asking import decisions as use
from plane.server.asking import findings as found
from plane.server.asking import tracing
from plane.wire import decisions, findings, rest

DECISIONS = "/tenants/{tenant}/decisions"
LIST = calls.Doc(
    answer=rest.Page[decisions.Decision], query=decisions.DecisionQuery, tag="policies", operation="list_decisions",
    summary="What policy said of releases, newest first: of the apps that the caller may read.",
)  # fmt: skip
GET = calls.Doc(
    answer=decisions.WholeDecision, tag="policies", operation="get_decision",
    summary="One decision: every rule's outcome, and what was in force.",
)  # fmt: skip
REPLAY = calls.Doc(
    answer=decisions.DecisionReplay, tag="policies", operation="replay_decision",
    summary="The decision made again from what was kept: the identical digest, or what differs, or what is missing.",
)  # fmt: skip
EXPLAIN = calls.Doc(
    answer=decisions.DecisionExplanation, query=decisions.ExplanationQuery, tag="policies", operation="explain_decision",
    summary="What the lines of a rule were when the decision was made: which held, which failed, with which values.",
)  # fmt: skip

FINDINGS = calls.Doc(
    answer=rest.Page[findings.Finding], query=findings.FindingQuery, tag="policies", operation="list_findings",
    summary="Rules that apps break, newest first: of the apps that the caller may read.",
)  # fmt: skip
SUMS = calls.Doc(
    answer=rest.Page[findings.FindingSum], query=findings.SumQuery, tag="policies", operation="sum_findings",
    summary="How many rules are broken by policy, rule, project or app, and whether it gets better.",
)  # fmt: skip


@calls.endpoint("GET", DECISIONS, LIST)
def listed(call: calls.Call) -> rest.Page[decisions.Decision]:
    """Keyset pages."""
    return use.page(call.plane, call.caller, call.names, call.query(decisions.DecisionQuery))


@calls.endpoint("GET", f"{DECISIONS}/{{decision}}", GET)
def one(call: calls.Call) -> decisions.WholeDecision:
    """By its id, as audit events and `explain` name it."""
    return use.one(call.plane, call.caller, call.names, call.path["decision"])


@calls.endpoint("GET", f"{DECISIONS}/{{decision}}/replay", REPLAY)
def replay(call: calls.Call) -> decisions.DecisionReplay:
    """Changes nothing."""
    return use.replay(call.plane, call.caller, call.names, call.path["decision"])


@calls.endpoint("GET", f"{DECISIONS}/{{decision}}/explanation", EXPLAIN)
def explained(call: calls.Call) -> decisions.DecisionExplanation:
    """Changes nothing."""
    return tracing.explain(call.plane, call.caller, call.names, call.path["decision"], call.query(decisions.ExplanationQuery))


@calls.endpoint("GET", "/tenants/{tenant}/findings", FINDINGS)
def broken(call: calls.Call) -> rest.Page[findings.Finding]:
    """Keyset pages."""
    return found.page(call.plane, call.caller, call.names, call.query(findings.FindingQuery))


@calls.endpoint("GET", "/tenants/{tenant}/findings/sums", SUMS)
def summed(call: calls.Call) -> rest.Page[findings.FindingSum]:
    """One page."""
    return found.sums(call.plane, call.caller, call.names, call.query(findings.SumQuery))


def handlers() -> list[HTTPRouteHandler]:
    """All of them."""
    return [listed, one, replay, explained, broken, summed]
