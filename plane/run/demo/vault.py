"""A real Vault in development mode with one secret, and an AppRole that may read it and nothing else."""

import os
import secrets

import httpx
import msgspec

from plane import config
from plane.run import children

READY_S = 30.0
POLICY = 'path "secret/data/globex/*" { capabilities = ["read"] }'


class Vault(msgspec.Struct, frozen=True):
    """Where it is, and the role's two halves."""

    address: str
    role_id: str
    secret_id: str


def start(family: children.Family, *, password: str) -> Vault:
    """Start it as one of the family and put the ledger's password into it."""
    address, root = f"127.0.0.1:{children.free_port()}", secrets.token_hex(16)
    argv = [config.program("vault"), "server", "-dev", "-dev-no-store-token", f"-dev-listen-address={address}"]
    family.start("vault", argv, env={"PATH": os.environ["PATH"], "HOME": str(family.folder), "VAULT_DEV_ROOT_TOKEN_ID": root})
    with httpx.Client(base_url=f"http://{address}/v1", headers={"X-Vault-Token": root}) as http:
        family.until(lambda: _unsealed(http), what="vault", timeout_s=READY_S)
        _call(http, "secret/data/globex/ledger/db", {"data": {"password": password}})
        _call(http, "sys/policies/acl/globex", {"policy": POLICY})
        _call(http, "sys/auth/approle", {"type": "approle"})
        _call(http, "auth/approle/role/globex", {"token_policies": ["globex"], "token_ttl": "10m"})
        role_id = http.get("auth/approle/role/globex/role-id").raise_for_status().json()["data"]["role_id"]
        secret_id = http.post("auth/approle/role/globex/secret-id").raise_for_status().json()["data"]["secret_id"]
    return Vault(f"http://{address}", role_id, secret_id)


def _call(http: httpx.Client, path: str, body: dict[str, object]) -> None:
    http.post(path, json=body).raise_for_status()


def _unsealed(http: httpx.Client) -> bool:
    try:
        return http.get("sys/health").is_success
    except httpx.TransportError:
        return False
