"""The operator's file of keys for policy bundles."""

import pathlib

import pytest

from plane import config
from plane.run import policy_keys

TEXT = "keys:\n  ci: {algorithm: ES256, key: PEM, scope: policies}\n  old: {algorithm: HS256, key: not-for-eyes}\n"


def test_keys_are_written_as_opas_own_configuration_has_them(tmp_path: pathlib.Path) -> None:
    (tmp_path / "keys.yaml").write_text(TEXT)
    found = policy_keys.load(str(tmp_path / "keys.yaml"))
    assert [(one.name, one.algorithm, one.key.reveal(), one.scope) for one in found] == [
        ("platform/ci", "ES256", b"PEM", "policies"),
        ("platform/old", "HS256", b"not-for-eyes", ""),
    ]
    assert policy_keys.load("") == ()


@pytest.mark.parametrize(
    "text", ["keys: [not-for-eyes]", "keys: {ci: {key: not-for-eyes, algorithm: none}}", "keys: {ci: {key: ' '}}", "{not-for-eyes"]
)
def test_a_file_that_cannot_be_used_is_named_and_not_quoted(tmp_path: pathlib.Path, text: str) -> None:
    (tmp_path / "keys.yaml").write_text(text)
    with pytest.raises(config.SettingInvalid, match=r"PLANE_POLICY_KEYS_FILE: .*keys\.yaml cannot be used: ") as refused:
        policy_keys.load(str(tmp_path / "keys.yaml"))
    assert "not-for-eyes" not in str(refused.value)
