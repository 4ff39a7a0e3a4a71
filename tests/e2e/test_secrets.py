"""Secret values go from where a team keeps them into its cluster; what cannot be opened is told without quoting anything."""

import base64

import pytest

from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.support import age, waiting
from tests.support import vault as vaults

CLEAR = "apiVersion: v1\nkind: Secret\nmetadata: {{name: web}}\nstringData: {{password: {value}}}\n"
REFERENCE = CLEAR.format(value="'${secret:vault:store/PATH#password}'")


def value(app: e2e.App) -> str:
    """What the cluster's Secret holds."""
    found = sources.live(app.tenant, f"/api/v1/namespaces/{app.namespace}/secrets/web")
    data = found.get("data")
    return base64.b64decode(data["password"]).decode() if isinstance(data, dict) else ""


def give_key(tenant: e2e.Tenant, key: age.Key) -> None:
    """The project's age identity."""
    tenant.put("Credential", "credentials", "age", spec={"kind": "sops-age"}, data={"identity": key.identity})


def give_vault(tenant: e2e.Tenant, vault: vaults.DevVault, **change: str) -> None:
    """Access to the tenant's own part of Vault, as `store`."""
    access = vault.role(tenant.name, f'path "secret/data/{tenant.name}/open/*" {{ capabilities = ["read"] }}')
    assert access.secret_id is not None
    spec = {"kind": "vault", "address": vault.address, "mount": "secret", "prefixes": [f"{tenant.name}/"], "roleId": access.role_id}
    tenant.put("Credential", "credentials", "store", spec=spec | change, data={"secretId": access.secret_id.reveal().decode()})


def referring(tenant: e2e.Tenant, path: str) -> dict[str, bytes]:
    """The app `web` with a Secret that names a path below the tenant's."""
    return {"web/secret.yaml": REFERENCE.replace("PATH", f"{tenant.name}/{path}").encode()}


def test_a_sops_value_reaches_the_cluster(tenant: e2e.Tenant) -> None:
    key = age.new()
    give_key(tenant, key)
    encrypted = age.encrypt(CLEAR.format(value="s3cr3t-of-sops"), key.recipient)
    app = tenant.app("web", tenant.repository(tenant.name, sources.web() | {"web/secret.yaml": encrypted}))
    app.healthy()
    assert value(app) == "s3cr3t-of-sops"


def test_a_vault_value_reaches_the_cluster(tenant: e2e.Tenant, vault: vaults.DevVault) -> None:
    give_vault(tenant, vault)
    vault.put(f"{tenant.name}/open/db", password="s3cr3t-of-vault")
    app = tenant.app("web", tenant.repository(tenant.name, referring(tenant, "open/db")))
    app.healthy()
    assert value(app) == "s3cr3t-of-vault"


def test_another_value_in_vault_arrives_when_the_app_is_refreshed(tenant: e2e.Tenant, vault: vaults.DevVault) -> None:
    give_vault(tenant, vault)
    vault.put(f"{tenant.name}/open/db", password="before")
    app = tenant.app("web", tenant.repository(tenant.name, referring(tenant, "open/db")))
    app.healthy()
    vault.put(f"{tenant.name}/open/db", password="after")
    app.refresh()
    waiting.until(lambda: value(app) == "after", lambda: str(app.explain()))


def test_a_project_without_a_key_is_told_how_to_give_one(tenant: e2e.Tenant) -> None:
    encrypted = age.encrypt(CLEAR.format(value="s3cr3t"), age.new().recipient)
    app = tenant.app("web", tenant.repository(tenant.name, {"web/secret.yaml": encrypted}))
    assert app.says("source-failed", "web/secret.yaml", "no age identity", "plane credential create")["since"]


def test_a_key_that_does_not_open_the_file_is_told(tenant: e2e.Tenant) -> None:
    give_key(tenant, age.new())
    encrypted = age.encrypt(CLEAR.format(value="s3cr3t"), age.new().recipient)
    app = tenant.app("web", tenant.repository(tenant.name, {"web/secret.yaml": encrypted}))
    assert app.says("source-failed", "web/secret.yaml", "none of the project's age keys", "sops updatekeys")["since"]


def test_a_broken_mac_is_refused_and_the_last_good_value_stays(tenant: e2e.Tenant) -> None:
    key = age.new()
    give_key(tenant, key)
    encrypted = age.encrypt(CLEAR.format(value="first"), key.recipient)
    app = tenant.app("web", tenant.repository(tenant.name, {"web/secret.yaml": encrypted}))
    app.healthy()
    tenant.install.git.commit(tenant.name, {"web/secret.yaml": encrypted.replace(b"name: web", b"name: bew")}, "By hand")
    app.refresh()
    assert app.says("source-failed", "web/secret.yaml", "MAC does not match")["since"]
    assert value(app) == "first"


def test_the_right_key_later_mends_the_app_by_itself(tenant: e2e.Tenant) -> None:
    key = age.new()
    encrypted = age.encrypt(CLEAR.format(value="late"), key.recipient)
    app = tenant.app("web", tenant.repository(tenant.name, {"web/secret.yaml": encrypted}))
    app.says("source-failed", "no age identity")
    give_key(tenant, key)
    waiting.until(lambda: value(app) == "late", lambda: str(app.explain()))


def test_a_path_that_vault_denies_is_told_with_the_rule_it_needs(tenant: e2e.Tenant, vault: vaults.DevVault) -> None:
    give_vault(tenant, vault)
    vault.put(f"{tenant.name}/shut/db", password="s3cr3t")
    app = tenant.app("web", tenant.repository(tenant.name, referring(tenant, "shut/db")))
    assert app.says("source-failed", f"vault:store/{tenant.name}/shut/db", "denied", f"secret/data/{tenant.name}/shut/db")["since"]


@pytest.mark.parametrize(
    ("path", "words"),
    [("open/nothing", "there is nothing at this path"), ("../other/db", "the path must be plain")],
    ids=["absent", "outside"],
)
def test_a_path_that_cannot_be_read_is_told(tenant: e2e.Tenant, vault: vaults.DevVault, path: str, words: str) -> None:
    give_vault(tenant, vault)
    app = tenant.app("web", tenant.repository(tenant.name, referring(tenant, path)))
    assert app.says("source-failed", words)["since"]


def test_another_tenants_part_of_vault_is_refused_before_vault_is_asked(tenant: e2e.Tenant, vault: vaults.DevVault) -> None:
    give_vault(tenant, vault)
    vault.put("elsewhere/db", password="s3cr3t")
    files = {"web/secret.yaml": REFERENCE.replace("PATH", "elsewhere/db").encode()}
    app = tenant.app("web", tenant.repository(tenant.name, files))
    assert app.says("source-failed", "the project may not read this path")["since"]


def test_a_vault_that_is_away_is_told_and_the_last_good_value_stays(tenant: e2e.Tenant, vault: vaults.DevVault) -> None:
    give_vault(tenant, vault)
    vault.put(f"{tenant.name}/open/db", password="first")
    app = tenant.app("web", tenant.repository(tenant.name, referring(tenant, "open/db")))
    app.healthy()
    give_vault(tenant, vault, address="http://127.0.0.1:9")
    assert app.says("source-failed", "vault", "could not be reached")["since"]
    assert value(app) == "first"
