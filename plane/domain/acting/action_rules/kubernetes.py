"""Kubernetes' own workloads, as Argo CD and kubectl act on them."""

from plane.domain.acting.action_rules import rules
from plane.domain.acting.action_rules.rules import Body, Change, Parameter, Request, Rule, Table

_OVER = frozenset({"Complete", "Failed", "FailureTarget", "SuccessCriteriaMet"})  # conditions of a Job that runs nothing more
_RESTART = Rule("restart", rules.put("spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt", value=rules.NOW))
_SCALE = Rule(
    "scale",
    rules.put("spec", "replicas", value=rules.Slot("replicas")),
    parameters=(Parameter("replicas", "count", at=("spec", "replicas")),),
)


def _over(body: Body) -> str:
    held = {rules.at(entry, "type") for entry in rules.items(body, "status", "conditions") if rules.at(entry, "status") == "True"}
    return "it has ended" if held & _OVER else ""


def _job(request: Request) -> Change:
    template = rules.mapping(request.body, "spec", "jobTemplate")
    meta = rules.mapping(template, "metadata")
    annotations = {**rules.mapping(meta, "annotations"), "cronjob.kubernetes.io/instantiate": "manual"}
    return rules.child(request, "batch/v1", "Job", {**meta, "annotations": annotations}, rules.mapping(template, "spec"))


def _terminate(request: Request) -> Change:
    ended = {
        "type": "FailureTarget",
        "status": "True",
        "reason": "ManuallyTerminated",
        "message": "somebody ended the job through the GitOps plane",
        "lastTransitionTime": request.stamp(),
    }
    return Change(rules.put("status", "conditions", value=[*rules.items(request.body, "status", "conditions"), ended]))


def _suspension() -> tuple[Rule, Rule]:
    suspend, resume = rules.switch(("suspend", "resume"), "suspended", "spec", "suspend")
    return Rule("suspend", suspend.patch, (_over, *suspend.blocks)), Rule("resume", resume.patch, (_over, *resume.blocks))


RULES: Table = {
    ("apps", "DaemonSet"): (_RESTART,),
    ("apps", "Deployment"): (
        *rules.switch(("pause", "resume"), "paused", "spec", "paused", values=(True, None)),
        _RESTART,
        _SCALE,
    ),
    ("apps", "StatefulSet"): (_RESTART, _SCALE),
    ("batch", "CronJob"): (
        Rule("create-job", make=_job),
        *rules.switch(("suspend", "resume"), "suspended", "spec", "suspend"),
    ),
    ("batch", "Job"): (*_suspension(), Rule("terminate", blocks=(rules.unheard, _over), make=_terminate)),
}
