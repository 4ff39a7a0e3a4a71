"""The master key and the log's: from a file, from the environment, or Vault's transit engine; and those before them."""

import pathlib
import re

from plane import config, ports
from plane.adapters.secrets import envelope, vault
from plane.adapters.trusting import log_keys, signer
from plane.domain.rendering import secrets

TRANSIT_URL = re.compile(r"(?P<address>https?://[^/]+)/v1/(?P<mount>.+)/keys/(?P<key>[^/]+)")


def envelope_of(settings: config.Settings) -> ports.Envelope:
    """What wraps: transit when it is set, the key otherwise. What unwraps: all that is set; SettingInvalid otherwise."""
    current, older = _current(settings), tuple(_read(path.strip()) for path in settings.master_key_older_files.split(",") if path.strip())
    if settings.master_transit:
        transit = _transit(settings)
        return envelope.Ring(transit, envelope.Local(current or older[0], older=older)) if current or older else transit
    if current is None:
        message = (
            "PLANE_MASTER_KEY_FILE is not set, nor PLANE_MASTER_KEY or PLANE_MASTER_TRANSIT; `plane up` sets everything for one machine, "
            "docs/operations.md lists what a real installation needs"
        )
        raise config.SettingInvalid(message)
    return envelope.Local(current, older=older)


def _current(settings: config.Settings) -> secrets.Secret | None:
    if settings.master_key:
        return envelope.parse_master_key(settings.master_key.encode(), where="PLANE_MASTER_KEY")
    return _read(settings.master_key_file) if settings.master_key_file else None


def _read(path: str) -> secrets.Secret:
    return envelope.parse_master_key(_bytes(path), where=path)


def _bytes(path: str) -> bytes:
    try:
        return pathlib.Path(path).read_bytes()
    except OSError as e:
        message = f"the file {path} of a key setting cannot be read: {e.strerror}"
        raise config.SettingInvalid(message) from e


def _transit(settings: config.Settings) -> envelope.Transit:
    found = _address(settings.master_transit, "PLANE_MASTER_TRANSIT")
    return envelope.Transit(vault.Sessions(), _access(settings, found, "PLANE_MASTER_TRANSIT"), key=found["key"])


def log_signer_of(settings: config.Settings) -> ports.LogSigner:
    """Transit when it is set, otherwise the log's own file, otherwise the plane's signing key."""
    if settings.audit_transit:
        found = _address(settings.audit_transit, "PLANE_AUDIT_TRANSIT")
        return log_keys.Transit(vault.Sessions(), _access(settings, found, "PLANE_AUDIT_TRANSIT"), key=found["key"])
    older = (path.strip() for path in settings.audit_key_older_files.split(",") if path.strip())
    files = (settings.audit_key_file or settings.signing_key_file, *older)
    return log_keys.Files([signer.FileSigner(pathlib.Path(path)) for path in files])


def _address(setting: str, name: str) -> re.Match[str]:
    found = TRANSIT_URL.fullmatch(setting)
    if found is None:
        message = f"{name} must be the key's address in Vault, https://HOST:8200/v1/MOUNT/keys/NAME"
        raise config.SettingInvalid(message)
    return found


def _access(settings: config.Settings, found: re.Match[str], name: str) -> ports.VaultAccess:
    token, role, secret_id = settings.master_transit_token_file, settings.master_transit_role_id, settings.master_transit_secret_id_file
    if bool(token) == bool(role and secret_id):
        message = f"{name} needs either PLANE_MASTER_TRANSIT_TOKEN_FILE or PLANE_MASTER_TRANSIT_ROLE_ID and …_SECRET_ID_FILE"
        raise config.SettingInvalid(message)
    return ports.VaultAccess(
        alias="master key",
        address=found["address"],
        mount=found["mount"],
        prefixes=(),
        token=secrets.Secret(_bytes(token).strip()) if token else None,
        role_id=role,
        secret_id=secrets.Secret(_bytes(secret_id).strip()) if secret_id else None,
        namespace=settings.master_transit_namespace,
        ca_pem=_bytes(settings.master_transit_ca_file).decode() if settings.master_transit_ca_file else "",
    )
