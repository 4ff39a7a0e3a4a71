"""A release that no policy engine could judge: a denial, and one that does not outlive its cause."""

import contextlib
import datetime as dt
import shutil

import msgspec

from plane import config
from plane.adapters.judging import opa, opa_files, opa_pool
from plane.domain.judging import policy
from plane.run.devgit import DevGit
from plane.server.asking import explain
from plane.store.layout import tables
from tests.support import planes

SHIPPED = opa_files.shipped()
RULES = policy.policy_files(
    "own", {"own.rego": 'package plane.rules.own\n\nviolations contains {"message": "no"} if input.manifest.kind == "Pod"\n'}
)
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"


def test_a_release_without_a_verdict_is_judged_again_by_itself(fleet: planes.Fleet, devgit: DevGit) -> None:
    fleet.add(tables.policy_sets, tenant_id=fleet.tenant, name="own", digest=RULES.digest, files=RULES.files, spec={})
    url = devgit.create("unjudged", planes.files("web", config=CONFIG))
    fleet.app("web", fleet.repository(devgit, "unjudged"), url)
    with contextlib.closing(opa.Opa(config.program("opa"), SHIPPED.base)) as away:
        away._pool.close()  # noqa: SLF001 - for one of a program that compiles nothing and serves nobody
        away._pool = opa_pool.Pool(str(shutil.which("cat")))  # noqa: SLF001
        unjudged = msgspec.structs.replace(fleet, plane=msgspec.structs.replace(fleet.plane, policies=away))
        assert unjudged.work() == 0
    told = explain.explain(fleet.plane, fleet.scope, project_id=fleet.project, app="web")
    assert (told.status, "the policy engine gave no answer" in told.sentence) == ("policy-refused", True)
    assert isinstance(fleet.plane.clock, planes.MovableClock)
    fleet.plane.clock.ahead += dt.timedelta(minutes=5)
    assert fleet.work() == 1, explain.explain(fleet.plane, fleet.scope, project_id=fleet.project, app="web").sentence
