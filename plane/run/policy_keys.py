"""The operator's file of keys that policy bundles are signed with, written as the `keys` of OPA's own configuration."""

import pathlib
from typing import Any

import msgspec
import yaml

from plane import config
from plane.domain import trust
from plane.domain.rendering import secrets

OF = "platform"


class _Key(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    algorithm: trust.Algorithm = "RS256"
    scope: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    keys: dict[str, _Key] = {}


def load(file: str) -> tuple[trust.Trusted, ...]:
    """The keys by name, none for no file; SettingInvalid names the field, never a key."""
    if not file:
        return ()
    try:
        found = msgspec.convert(_read(file), _File)
    except (OSError, UnicodeDecodeError, msgspec.ValidationError) as e:
        raise _invalid(file, str(e)) from e
    except yaml.YAMLError as e:
        raise _invalid(file, "it is no YAML") from e  # the parser's words quote lines, and a line may be a secret
    if empty := [name for name, one in found.keys.items() if not one.key.strip()]:
        raise _invalid(file, f"keys.{empty[0]}.key is empty")
    return tuple(
        trust.Trusted(f"{OF}/{name}", one.algorithm, secrets.Secret(one.key.encode()), one.scope)
        for name, one in sorted(found.keys.items())
    )


def _read(file: str) -> Any:  # noqa: ANN401 - whatever YAML holds
    return yaml.safe_load(pathlib.Path(file).read_text(encoding="utf-8")) or {}


def _invalid(file: str, why: str) -> config.SettingInvalid:
    return config.SettingInvalid(f"PLANE_POLICY_KEYS_FILE: {file} cannot be used: {why}; docs/policies.md shows how it is written")
