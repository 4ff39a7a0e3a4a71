"""A real Vault in development mode: KV version 2 at `secret/`, AppRole, transit; everything is gone when it ends."""

import os
import pathlib
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from plane import config, ports
from plane.domain.rendering import secrets as domain_secrets
from plane.run import children
from tests.support import waiting


class DevVault:
    """What an administrator does to it."""

    def __init__(self, address: str, root: str) -> None:
        self.address = address
        self.http = httpx.Client(base_url=f"{address}/v1", headers={"X-Vault-Token": root}, timeout=waiting.PATIENCE_S)

    def ready(self) -> bool:
        """Whether it is up and unsealed."""
        try:
            return self.http.get("sys/health").is_success
        except httpx.TransportError:
            return False

    def call(self, path: str, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """POST; the answer's `data`, or nothing."""
        answer = self.http.post(path, json=body).raise_for_status()
        return dict(answer.json().get("data") or {}) if answer.content else {}

    def put(self, path: str, **values: object) -> int:
        """Write a secret; the version it became."""
        return int(self.call(f"secret/data/{path}", data=values)["version"])

    def role(self, name: str, rules: str, **settings: object) -> ports.VaultAccess:
        """An AppRole with a policy of its own, as an access that may read everything the policy allows."""
        self.http.put(f"sys/policies/acl/{name}", json={"policy": rules}).raise_for_status()
        self.call(f"auth/approle/role/{name}", token_policies=[name], **settings)
        role_id = self.http.get(f"auth/approle/role/{name}/role-id").raise_for_status().json()["data"]["role_id"]
        secret_id = self.call(f"auth/approle/role/{name}/secret-id")["secret_id"]
        return ports.VaultAccess(
            "main", self.address, "secret", ("",), role_id=role_id, secret_id=domain_secrets.Secret(secret_id.encode())
        )

    def token(self, rules: str, name: str) -> ports.VaultAccess:
        """A token with a policy of its own, likewise."""
        self.http.put(f"sys/policies/acl/{name}", json={"policy": rules}).raise_for_status()
        answer = self.http.post("auth/token/create", json={"policies": [name], "ttl": "10m"}).raise_for_status()
        token = domain_secrets.Secret(answer.json()["auth"]["client_token"].encode())
        return ports.VaultAccess("main", self.address, "secret", ("",), token=token)


@pytest.fixture(scope="session")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevVault]:
    """This worker's Vault."""
    folder = tmp_path_factory.mktemp("vault")
    address, root = f"127.0.0.1:{children.free_port()}", secrets.token_hex(16)
    command = [config.program("vault"), "server", "-dev", "-dev-no-store-token", f"-dev-listen-address={address}"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "VAULT_DEV_ROOT_TOKEN_ID": root}
    with children.Family(pathlib.Path(folder)) as family:
        family.start("vault", command, env=environment)
        found = DevVault(f"http://{address}", root)
        family.until(found.ready, what="vault", timeout_s=waiting.PATIENCE_S)
        found.call("sys/auth/approle", type="approle")
        found.call("sys/mounts/transit", type="transit")
        yield found
        found.http.close()
        family.end(grace_s=0)


def limited(access: ports.VaultAccess, *prefixes: str) -> ports.VaultAccess:
    """The access with other prefixes."""
    return msgspec.structs.replace(access, prefixes=prefixes)
