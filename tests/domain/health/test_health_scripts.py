"""Which script is for which kind."""

import pytest

from plane.domain.health import health, health_scripts


@pytest.mark.parametrize(
    ("folders", "kind"),
    [
        (("argoproj.io", "Rollout"), ("argoproj.io", "Rollout")),
        (("_.crossplane.io", "_"), ("*.crossplane.io", "*")),
        (("core", "ConfigMap"), ("", "ConfigMap")),
        (("ConfigMap",), ("", "ConfigMap")),
        ((), None),
        (("a", "b", "c"), None),
    ],
)
def test_folders_name_group_and_kind(folders: tuple[str, ...], kind: tuple[str, str] | None) -> None:
    assert health_scripts.placed(folders) == kind


def test_a_script_is_asked_before_our_rules_and_after_the_signs_of_a_person() -> None:
    def custom(body: dict[str, object]) -> health.Health | None:
        return health.Health("Degraded", "said the script") if body["kind"] == "Pod" else None

    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "status": {"phase": "Succeeded"}}
    gone = {**pod, "metadata": {"name": "a", "deletionTimestamp": "2026-08-01T00:00:00Z"}}
    spared = {**pod, "metadata": {"name": "a", "annotations": {"argocd.argoproj.io/ignore-healthcheck": "true"}}}
    assert health.judge(pod, custom).message == "said the script"
    assert health.judge(gone, custom) == health.Health("Progressing", "Pending deletion")
    assert health.judge(spared, custom).status == "Healthy"
    assert health.judge({**pod, "kind": "ConfigMap"}, custom).status == "Healthy"
