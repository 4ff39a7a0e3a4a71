"""Health checks of a tenant and of a project on the command line: two collections, told apart by -P or by the document."""

import pathlib

from tests.cli import conftest
from tests.support import planes


def test_a_projects_checks_are_asked_for_by_name(shop: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    script = tmp_path / "health.lua"
    script.write_text("return {status = 'Healthy'}\n")
    run("healthcheck", "create", "widgets", "--kind", "Widget", "--lua", str(script))
    run("healthcheck", "create", "widgets", "-P", "shop", "--kind", "Gadget", "--lua", str(script))
    kinds = [run("get", "hc", "-o", "json", *where).output for where in ((), ("-P", "shop"))]
    assert ['"Widget"' in kinds[0], '"Gadget"' in kinds[0], '"Widget"' in kinds[1], '"Gadget"' in kinds[1]] == [True, False, False, True]
    file = tmp_path / "check.yaml"
    file.write_text(run("get", "hc", "widgets", "-P", "shop", "-o", "yaml").output)
    assert run("apply", "-f", str(file)).output == "healthcheck/widgets unchanged\n"
    assert run("delete", "-f", str(file)).output == "healthcheck/widgets deleted\n"
    assert '"Widget"' in run("get", "hc", "-o", "json").output
