"""The operator's file of identity providers and trust rules."""

import pathlib

import msgspec
import yaml

from plane import config
from plane.domain.granting import login


def load(file: str) -> login.Settings:
    """What the file says, nothing for no file; SettingInvalid names the field and the rule."""
    if not file:
        return login.Settings()
    try:
        found = msgspec.convert(yaml.safe_load(pathlib.Path(file).read_text(encoding="utf-8")) or {}, login.Settings)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as e:
        message = f"PLANE_LOGIN_FILE: {file} cannot be read: {' '.join(str(e).split())}; docs/login.md shows how it is written"
        raise config.SettingInvalid(message) from e
    if problems := login.check(found):
        message = f"PLANE_LOGIN_FILE: {file}: {'; '.join(f'{path}: {rule}' for path, rule in problems.items())}"
        raise config.SettingInvalid(message)
    return found
