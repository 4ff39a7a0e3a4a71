"""The environment, read once at the start of a process into frozen values. Only run/ and cli/ look here."""

import os
import pathlib
import shutil
import sys
from collections.abc import Mapping

import msgspec

from plane.domain import errors

PREFIX = "PLANE_"


class ProgramMissing(errors.PlaneError):
    """A third-party program that the plane drives is not installed."""

    code = "program-missing"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the program {name} was not found; in a checkout run `make tools`, "
            "otherwise install it on PATH or name its folder in PLANE_TOOLS"
        )


class SettingInvalid(errors.PlaneError):
    """An environment variable that is missing or cannot be used."""

    code = "setting-invalid"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a plane process needs; `PLANE_<NAME>` in the environment, `DATABASE_URL` for the database."""

    database_url: str = ""  # the application's log-in; empty only where `plane up` fills it in
    migration_url: str = ""  # the tables' owner; empty: database_url
    state_dir: str = ""  # mirrors and other things that can be made again; empty: XDG state folder
    plane_id: str = "plane"  # audience of agent tokens and origin of checkpoints: unique per installation, never changed
    host: str = "127.0.0.1"
    port: int = 8440
    tls_cert: str = ""  # PEM files; without them the server speaks plain HTTP behind somebody's TLS
    tls_key: str = ""
    tls_client_ca: str = ""  # PEM file: authorities of the client certificates that agents may show
    tls_proxies: str = ""  # CIDRs of proxies that end TLS and tell the client's certificate in a header, comma-separated
    master_key: str = ""  # 32 bytes, hex or base64; this, the file or transit must be set
    master_key_file: str = ""
    master_key_older_files: str = ""  # comma-separated: keys that still open what they wrapped, until `plane db rewrap`
    master_transit: str = ""  # https://HOST:8200/v1/MOUNT/keys/NAME: the master key stays in Vault's transit engine
    master_transit_token_file: str = ""  # this, or the two of an AppRole
    master_transit_role_id: str = ""
    master_transit_secret_id_file: str = ""
    master_transit_namespace: str = ""
    master_transit_ca_file: str = ""
    signing_key_file: str = ""  # Ed25519, PEM: signs tasks, and audit checkpoints where no key of their own is set
    audit_key_file: str = ""  # Ed25519, PEM: signs audit checkpoints
    audit_key_older_files: str = ""  # comma-separated: keys that sign until the log has told of the one that replaces them
    audit_transit: str = ""  # https://HOST:8200/v1/MOUNT/keys/NAME: signs audit checkpoints, with the log-in of master_transit
    git_networks: str = ""  # CIDRs of private addresses of repositories and registries, comma-separated; empty: public ones only
    sink_networks: str = ""  # the same for the places that audit logs are sent to
    login_networks: str = ""  # and for identity providers that documents name
    login_file: str = ""  # YAML: identity providers and trust rules (docs/login.md); empty: tokens alone
    policy_keys_file: str = ""  # YAML: keys that policy bundles are signed with, and the platform's have to be (docs/policies.md)
    rate_token: int = 200  # requests per second of one token or session, twenty seconds' worth at once; 0: as many as come; also below
    rate_tenant: int = 1000  # of all people of a tenant
    rate_address: int = 50  # of an address that has shown nothing that holds
    rate_agent: int = 100
    workers: int = 0  # renders side by side, a third of them for one tenant; 0: three per core
    batch: int = 32  # apps leased at once: one transaction's worth
    log_level: str = "info"
    log_pretty: bool = False

    def state(self) -> pathlib.Path:
        """The state folder, made if absent."""
        folder = pathlib.Path(self.state_dir or default_state())
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder


def default_state(environment: Mapping[str, str] = os.environ) -> pathlib.Path:
    """Where things go that can be made again: the XDG state folder."""
    base = environment.get("XDG_STATE_HOME") or pathlib.Path.home() / ".local/state"
    return pathlib.Path(base) / "gitops-plane"


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process; SettingInvalid names the variable."""
    found = {name: environment[PREFIX + name.upper()] for name in Settings.__struct_fields__ if environment.get(PREFIX + name.upper())}
    if environment.get("DATABASE_URL"):
        found.setdefault("database_url", environment["DATABASE_URL"])
    try:
        return msgspec.convert(found, Settings, strict=False)
    except msgspec.ValidationError as e:
        wrong, _, field = str(e).partition(" - at `$.")
        message = f"the environment variable {PREFIX}{field.rstrip('`').upper()} cannot be read: {wrong}"
        raise SettingInvalid(message) from None


def program(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """The absolute path of a third-party program: PLANE_TOOLS, then beside the interpreter, then PATH; ProgramMissing otherwise."""
    places = (environment.get("PLANE_TOOLS", ""), str(pathlib.Path(sys.executable).parent), environment.get("PATH", os.defpath))
    found = shutil.which(name, path=os.pathsep.join(place for place in places if place))
    if found is None:
        raise ProgramMissing(name)
    return str(pathlib.Path(found).absolute())
