import pathlib
import stat

import pytest

from plane.cli import contexts, failures

PROD = contexts.Context("prod", "https://plane.example", token="gp_user_1", tenant="acme", project="shop")
TEST = contexts.Context("test", "https://test.example", token="gp_user_2")
BOTH = contexts.File("prod", (PROD, TEST))


def test_what_is_saved_is_loaded(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "deep" / "config.yaml"
    contexts.save(file, BOTH)
    assert contexts.load(file) == BOTH


def test_the_file_is_its_owners_alone(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "config.yaml"
    file.touch(0o644)
    contexts.save(file, BOTH)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_no_file_is_no_contexts(tmp_path: pathlib.Path) -> None:
    assert contexts.load(tmp_path / "none.yaml") == contexts.File()


@pytest.mark.parametrize("text", ["contexts: 7", "contexts: [{name: a}]", "a: [", "contexts: [{name: a, url: b, tokn: c}]"])
def test_a_broken_file_is_named_with_the_way_out(tmp_path: pathlib.Path, text: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(failures.WrongUse, match=r"config\.yaml: this is not a file of contexts .*; mend it, or remove it"):
        contexts.load(file)


def test_the_current_context_is_chosen() -> None:
    assert contexts.choose(BOTH, name="", environment={}) == PROD


def test_a_context_asked_for_by_name_is_left_alone_by_the_environment() -> None:
    assert contexts.choose(BOTH, name="test", environment={"PLANE_TOKEN": "gp_other"}) == TEST


def test_a_kept_token_never_goes_to_an_address_from_the_environment() -> None:
    assert contexts.choose(BOTH, name="", environment={"PLANE_URL": "https://elsewhere.example"}).token == ""


def test_the_environment_alone_is_enough() -> None:
    chosen = contexts.choose(
        contexts.File(), name="", environment={"PLANE_URL": "http://127.0.0.1:1", "PLANE_TOKEN": "t", "PLANE_CA": "ca.pem"}
    )
    assert (chosen.url, chosen.token, chosen.ca) == ("http://127.0.0.1:1", "t", "ca.pem")


def test_an_address_from_the_environment_is_one() -> None:
    with pytest.raises(failures.WrongUse, match="PLANE_URL is no URL"):
        contexts.choose(BOTH, name="", environment={"PLANE_URL": "https://plane.example:port"})


def test_without_any_plane_one_is_told_to_log_in() -> None:
    with pytest.raises(failures.Failed, match="run `plane login URL`") as failed:
        contexts.choose(contexts.File(), name="", environment={})
    assert failed.value.exit_code == failures.NOT_ALLOWED


def test_an_unknown_context_names_the_known() -> None:
    with pytest.raises(failures.WrongUse, match=r"no context 'stage' \(known: prod, test\)"):
        BOTH.find("stage")


def test_forgetting_the_current_context_leaves_none_current() -> None:
    assert BOTH.without("prod") == contexts.File("", (TEST,))
