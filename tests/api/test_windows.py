"""Sync windows and freezes in documents."""

from tests.support.rest import Api, Tenant, document

WINDOW = {"kind": "deny", "schedule": "0 22 * * *", "duration": "8h", "clusters": ["*"], "timeZone": "Europe/Berlin"}


def test_a_project_keeps_its_windows_and_freezes(acme: Tenant) -> None:
    freeze = {"reason": "holidays", "owner": "alice", "until": "2027-01-07T00:00:00Z"}
    spec = {"syncWindows": [WINDOW], "freezes": [freeze]}
    acme.api.put("/tenants/acme/projects/shop", document("Project", "shop", spec))
    stored = acme.api.get("/tenants/acme/projects/shop").json()["spec"]
    assert stored["syncWindows"][0].items() >= WINDOW.items()
    assert stored["freezes"][0].items() >= freeze.items()


def test_a_window_that_cannot_be_read_is_refused_with_its_field(acme: Tenant) -> None:
    wrong = document("Project", "shop", {"syncWindows": [WINDOW, {**WINDOW, "schedule": "0 22 * * 7"}]})
    assert acme.api.put("/tenants/acme/projects/shop", wrong).json()["problems"] == {
        "spec.syncWindows[1].schedule": "has '7' as day of week, which is 0 to 6, 0 for Sunday"
    }


def test_a_tenants_freeze_needs_a_reason(acme: Tenant, platform: Api) -> None:
    wrong = platform.put("/tenants/acme", document("Tenant", "acme", {"freezes": [{"reason": "", "owner": "alice"}]}))
    assert wrong.json()["problems"] == {"spec.freezes[0].reason": "must say something: people who are stopped want to know"}
