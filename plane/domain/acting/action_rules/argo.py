"""Argo Rollouts, Workflows, CD and GitOps Promoter. A Workflow's own actions are those of its command line; Argo CD has none for it."""

from plane.domain.acting.action_rules import rules
from plane.domain.acting.action_rules.rules import Body, Change, Request, Rule, Table

_ENDED = ("Successful", "Failed", "Error", "Inconclusive")
_DONE = ("Succeeded", "Failed", "Error")
_SCHEDULED = "workflows.argoproj.io/scheduled-time"
_INSTANCE = "workflows.argoproj.io/controller-instanceid"


def _promoted(body: Body) -> str:
    status = rules.mapping(body, "status")
    return "it is fully promoted" if status.get("currentPodHash") == status.get("stableRS") else ""


def _held(body: Body) -> bool:
    return bool(rules.items(body, "status", "pauseConditions")) or rules.at(body, "spec", "paused") is True


def _resume(request: Request) -> Change:
    """A flag that nobody set is not written: it would stand there as somebody's addition."""
    flag = rules.put("spec", "paused", value=False) if rules.at(request.body, "spec", "paused") is True else {}
    return Change({**flag, "status": {"pauseConditions": None}})


def _running(body: Body) -> str:
    return "" if _held(body) else "it is not paused"


def _steps(body: Body) -> str:
    steps = rules.items(body, "spec", "strategy", "canary", "steps")
    if not steps:
        return "it has no canary steps"
    return "" if _step(body) < len(steps) else "it is past its last step"


def _step(body: Body) -> int:
    found = rules.at(body, "status", "currentStepIndex")
    return found if isinstance(found, int) else 0


def _skip(request: Request) -> Change:
    return Change({"status": {"currentStepIndex": _step(request.body) + 1, "pauseConditions": None}})


def _phase(why: str, phases: tuple[str, ...]) -> rules.Block:
    return lambda body: why if rules.at(body, "status", "phase") in phases else ""


def _toggle(request: Request) -> Change:
    automated = rules.at(request.body, "spec", "syncPolicy", "automated")
    on = isinstance(automated, dict) and automated.get("enabled") is not False
    return Change(rules.put("spec", "syncPolicy", "automated", "enabled", value=not on))


def _from_template(request: Request) -> Change:
    name = rules.at(request.body, "metadata", "name")
    meta = {"labels": {"workflows.argoproj.io/workflow-template": name}}
    return rules.child(request, "argoproj.io/v1alpha1", "Workflow", meta, {"workflowTemplateRef": {"name": name}})


def _from_cron(request: Request) -> Change:
    wanted = rules.mapping(request.body, "spec", "workflowMetadata")
    instance = rules.at(request.body, "metadata", "labels", _INSTANCE)
    marks = {"workflows.argoproj.io/cron-workflow": rules.at(request.body, "metadata", "name")} | (
        {_INSTANCE: instance} if instance else {}
    )
    meta = {
        "labels": {**rules.mapping(wanted, "labels"), **marks},
        "annotations": {**rules.mapping(wanted, "annotations"), _SCHEDULED: request.stamp()},
    }
    finalizers = rules.items(wanted, "finalizers")
    whole = {**meta, "finalizers": finalizers} if finalizers else meta
    return rules.child(request, "argoproj.io/v1alpha1", "Workflow", whole, rules.mapping(request.body, "spec", "workflowSpec"))


_ROLLOUT = (
    Rule(
        "abort",
        rules.put("status", "abort", value=True),
        (rules.unheard, _promoted, rules.when("it is aborted already", "status", "abort")),
    ),
    Rule("pause", rules.put("spec", "paused", value=True), (_promoted, rules.when("it is paused already", "spec", "paused"))),
    Rule("promote-full", rules.put("status", "promoteFull", value=True), (rules.unheard, _promoted)),
    Rule("restart", rules.put("spec", "restartAt", value=rules.NOW)),
    Rule("resume", blocks=(_running,), make=_resume),
    Rule(
        "retry", rules.put("status", "abort", value=None), (rules.unheard, _promoted, rules.unless("it is not aborted", "status", "abort"))
    ),
    Rule("skip-current-step", blocks=(rules.unheard, _steps), make=_skip),
)
_WORKFLOW = tuple(
    Rule(name, patch, (_phase("it has ended", _DONE), block))
    for name, patch, block in (
        ("resume", rules.put("spec", "suspend", value=None), rules.unless("it is not suspended", "spec", "suspend")),
        ("stop", rules.put("spec", "shutdown", value="Stop"), rules.when("it is being stopped already", "spec", "shutdown", value="Stop")),
        ("suspend", rules.put("spec", "suspend", value=True), rules.when("it is suspended already", "spec", "suspend")),
        (
            "terminate",
            rules.put("spec", "shutdown", value="Terminate"),
            rules.when("it is being terminated already", "spec", "shutdown", value="Terminate"),
        ),
    )
)
RULES: Table = {
    ("argoproj.io", "AnalysisRun"): (
        Rule(
            "terminate",
            rules.put("spec", "terminate", value=True),
            (rules.when("it is being terminated already", "spec", "terminate"), _phase("it has ended", _ENDED)),
        ),
    ),
    ("argoproj.io", "Application"): (Rule("toggle-auto-sync", make=_toggle),),
    ("argoproj.io", "CronWorkflow"): (
        Rule("create-workflow", make=_from_cron),
        *rules.switch(("suspend", "resume"), "suspended", "spec", "suspend"),
    ),
    ("argoproj.io", "Rollout"): _ROLLOUT,
    ("argoproj.io", "Workflow"): _WORKFLOW,
    ("argoproj.io", "WorkflowTemplate"): (Rule("create-workflow", make=_from_template),),
    ("promoter.argoproj.io", "PullRequest"): (
        Rule("merge", rules.put("spec", "state", value="merged"), (rules.when("it is merged already", "spec", "state", value="merged"),)),
    ),
}
