"""What a process is told by its environment, and how it says that this cannot be."""

import pathlib

import pytest

from plane import config
from plane.adapters.secrets import envelope
from plane.run import master_key, wiring

KEY = "ab" * 32


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"PLANE_PORT": "many"}, "PLANE_PORT cannot be read: Expected `int`, got `str`"),
        ({"PLANE_LOG_PRETTY": "perhaps"}, "PLANE_LOG_PRETTY cannot be read"),
    ],
)
def test_a_variable_that_cannot_be_read_is_named(variables: dict[str, str], sentence: str) -> None:
    with pytest.raises(config.SettingInvalid, match=sentence):
        config.load(variables)


@pytest.mark.parametrize(("text", "count"), [("", 0), ("10.0.0.0/8", 1), (" 10.0.0.0/8 , ::1/128,", 2)])
def test_networks_are_listed_with_commas(text: str, count: int) -> None:
    assert len(wiring.networks(config.Settings(git_networks=text), "git_networks")) == count


@pytest.mark.parametrize("text", ["ten", "10.0.0.1/8", "10.0.0.0/33"])
def test_a_setting_that_names_no_network_is_named(text: str) -> None:
    with pytest.raises(config.SettingInvalid, match=r"PLANE_TLS_PROXIES must hold networks, such as 10\.0\.0\.0/8"):
        wiring.networks(config.Settings(tls_proxies=text), "tls_proxies")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (config.Settings(), "PLANE_MASTER_KEY_FILE is not set"),
        (config.Settings(master_key_file="/nowhere/master.key"), "/nowhere/master.key of a key setting cannot be read: No such file"),
        (config.Settings(master_transit="vault.example/plane"), "PLANE_MASTER_TRANSIT must be the key's address in Vault"),
        (config.Settings(master_transit="https://vault.example/v1/transit/keys/plane"), "needs either PLANE_MASTER_TRANSIT_TOKEN_FILE or"),
    ],
    ids=["none", "no file", "no address", "no log-in"],
)
def test_a_master_key_that_is_not_there_is_said_to_be(settings: config.Settings, sentence: str) -> None:
    with pytest.raises(config.SettingInvalid, match=sentence):
        master_key.envelope_of(settings)


def test_the_way_from_a_file_to_vault_keeps_the_file_readable(tmp_path: pathlib.Path) -> None:
    token = tmp_path / "token"
    token.write_text("s.token")
    address = "https://vault.example:8200/v1/team/transit/keys/plane"
    settings = config.Settings(master_key=KEY, master_transit=address, master_transit_token_file=str(token))
    assert isinstance(master_key.envelope_of(settings), envelope.Ring)
    assert isinstance(master_key.envelope_of(config.Settings(master_key=KEY)), envelope.Local)
