"""What a rule reaches outside its OPA: nothing of ours, and nobody else's."""

import contextlib
import pathlib
import socket
from collections.abc import Iterator

import pytest

from plane import config
from plane.adapters.judging import opa
from plane.adapters.sandbox import kernel
from plane.domain.judging import policy
from tests.adapters.judging import test_opa


@pytest.fixture(scope="module")
def engine() -> Iterator[opa.Opa]:
    with contextlib.closing(opa.Opa(config.program("opa"), test_opa.SHIPPED.base, deadline_s=20)) as found:
        yield found


def test_opa_sees_nothing_of_our_environment(engine: opa.Opa, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "canary-7f3a-p4ssw0rd")
    test_opa.ask(engine, test_opa.rules('violations contains {"message": "environment"}'))
    for process in test_opa.processes(engine):
        assert b"canary" not in pathlib.Path(f"/proc/{process.pid}/environ").read_bytes()


REACHES = """
violations contains {"message": sprintf("%%v", [out])} if {
	out := json.%s
}"""


@pytest.mark.parametrize("call", ['match_schema({}, {"$ref": "URL"})', 'verify_schema({"$ref": "URL"})'])
def test_a_schema_that_names_an_address_is_not_fetched_while_a_rule_runs(engine: opa.Opa, call: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with contextlib.suppress(policy.PolicyFailed):
            assert "operation not permitted" in test_opa.ask(engine, test_opa.rules(REACHES % call.replace("URL", url)))[0].message
        with pytest.raises(TimeoutError):
            listener.accept()


@pytest.mark.skipif(not kernel.landlock_abi(), reason="this kernel has no Landlock")
def test_a_schema_that_names_a_file_of_others_is_not_read(engine: opa.Opa, tmp_path: pathlib.Path) -> None:
    (tmp_path / "own.json").write_text('{"type": "string"}')
    call = f'match_schema({{}}, {{"$ref": "file://{tmp_path}/own.json"}})'
    with pytest.raises(policy.PolicyFailed, match="permission denied"):
        test_opa.ask(engine, test_opa.rules(REACHES % call))
