"""Decision records as answers of the API show them."""

from typing import Annotated, Any, Literal

import msgspec

from plane.domain.judging import decisions, policy, traces
from plane.wire import rest


class DecisionQuery(rest.Paging, frozen=True, kw_only=True):
    """Which records: of one project, of apps of one name, with one verdict."""

    project: rest.Text = ""
    app: rest.Text = ""
    verdict: Annotated[Literal["", "allowed", "warned", "needs-approval", "denied", "error"], msgspec.Meta()] = ""


class Decision(rest.Answer, frozen=True, kw_only=True):
    """What policy said of a release. `violations`: how many, with those that are not kept; `input`: digest of all that was asked."""

    id: str
    time: str
    project: str
    app: str
    cluster: str
    release: str
    commit: str
    signature: str
    verdict: decisions.Word
    sentence: str
    violations: int
    sets: tuple[str, ...]
    waivers: tuple[str, ...]
    input: str
    outcome: str
    engine: str
    duration_ms: float
    actor: str
    on_behalf_of: str
    trigger: str
    previous: str


class WholeDecision(Decision, frozen=True, kw_only=True):
    """With every rule's outcome and what was in force. `leftOut`: mode → violations that are not kept; `parameters`: by set's digest."""

    rules: tuple[decisions.RuleOutcome, ...]
    judged: tuple[policy.Judged, ...]
    left_out: dict[str, int]
    terms: str
    in_force: tuple[decisions.InForce, ...]
    parameters: dict[str, str]
    context_digest: str
    context: dict[str, Any]
    missing: tuple[str, ...] = ()


class DecisionReplay(rest.Answer, frozen=True, kw_only=True):
    """A decision made again. `missing`: why that cannot be; `notes`: what differs from then; `differences`: violations of only one."""

    id: str
    identical: bool
    outcome: str
    replayed: str = ""
    verdict: decisions.Word
    replayed_verdict: str = ""
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    differences: tuple[decisions.Difference, ...] = ()


class ExplanationQuery(rest.Body, frozen=True, kw_only=True):
    """Which rule about which object, as violations name it; without them what was found. `library`: with what rules share."""

    rule: rest.Text = ""
    object: rest.Text = ""
    library: bool = False


class DecisionExplanation(rest.Answer, frozen=True, kw_only=True):
    """What the lines of rules were when a decision was made. `missing`: why that cannot be told; `left_out`: traces beyond the first."""

    id: str
    items: tuple[traces.Trace, ...] = ()
    left_out: int = 0
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
