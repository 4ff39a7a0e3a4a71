"""A project's credentials, opened in memory for one piece of work and never longer."""

from collections.abc import Mapping, Sequence

import msgspec

from plane import ports
from plane.domain import errors, tenancy
from plane.domain.rendering import secrets
from plane.server import context
from plane.store.delivering import facts, keyring

FINGERPRINT_KEY = "fingerprint-key"  # a project's own key, where a credential has its name


class Keys(msgspec.Struct, frozen=True):
    """What a project holds: Git log-ins by credential name, age identities, Vault accesses by alias."""

    git: Mapping[str, ports.GitAuth] = {}
    sops: ports.SopsKeys | None = None
    vaults: Mapping[str, ports.VaultAccess] = {}


def wrapping_context(tenant: str, project: str, name: str) -> bytes:
    """What a wrapped value is bound to: tenant id, project id (none: the tenant's own), and the credential's name or `fingerprint-key`."""
    return f"gitops-plane/credential/v1\0{tenant}\0{project}\0{name}".encode()


def unlock(plane: context.Plane, tenant: str, rows: Sequence[keyring.Wrapped]) -> Keys:
    """Unwrap one project's credentials; SecretRefused when the master key is another than the one they were wrapped under."""
    git: dict[str, ports.GitAuth] = {}
    ages: list[bytes] = []
    vaults: dict[str, ports.VaultAccess] = {}
    for row in rows:
        clear = _texts(plane, tenant, row)
        kind: tenancy.CredentialKind = row.spec["kind"]
        match kind:
            case "git-password":
                git[row.name] = ports.GitAuth(username=row.spec.get("username", ""), password=clear["password"])
            case "git-ssh":
                git[row.name] = ports.GitAuth(
                    username=row.spec.get("username", ""), ssh_key=clear["privateKey"], known_hosts=row.spec.get("knownHosts", "")
                )
            case "sops-age":
                ages.append(clear["identity"].reveal())
            case "vault":
                vaults[row.name] = _vault(row, clear)
    return Keys(git, ports.SopsKeys(secrets.Secret(b"\n".join(ages))) if ages else None, vaults)


def remote(repository: facts.Repository, keys: Keys) -> ports.GitRemote:
    """The repository with its log-in; SourceRefused when it names a credential that is not there or is of another kind."""
    auth = keys.git.get(repository.credential) if repository.credential else ports.GitAuth()
    if auth is None:
        named = f"repository {repository.name} names the credential {repository.credential}"
        message = f"{named}, which is not a Git credential of this project; create it with `plane credential create`"
        raise errors.SourceRefused(message)
    return ports.GitRemote(repository.id, repository.url, msgspec.structs.replace(auth, ca_pem=repository.ca_pem), repository.quota_bytes)


def _texts(plane: context.Plane, tenant: str, row: keyring.Wrapped) -> dict[str, secrets.Secret]:
    clear = plane.envelope.unwrap(row.wrapped, context=wrapping_context(tenant, row.project_id, row.name))
    return {name: secrets.Secret(text.encode()) for name, text in msgspec.json.decode(clear.reveal(), type=dict[str, str]).items()}


def _vault(row: keyring.Wrapped, clear: dict[str, secrets.Secret]) -> ports.VaultAccess:
    spec = row.spec
    return ports.VaultAccess(
        alias=row.name,
        address=spec["address"],
        mount=spec.get("mount", "secret"),
        prefixes=tuple(spec.get("prefixes", ())),
        token=clear.get("token"),
        role_id=spec.get("roleId", ""),
        secret_id=clear.get("secretId"),
        namespace=spec.get("namespace", ""),
        ca_pem=spec.get("caPem", ""),
    )
