"""Which certificate is the one that a cluster's agent must show."""

import pytest

from plane.domain.permitting import certificates

EAST = "spiffe://plane.example/agent/east"
PRINT = f"sha256:{'ab' * 32}"


@pytest.mark.parametrize(
    ("wanted", "uris", "fits"),
    [
        ("", (), True),
        (EAST, (EAST,), True),
        (EAST, (f"{EAST}/more",), False),
        (EAST, (EAST.upper(),), False),
        (EAST, (), False),
        (EAST, (EAST, "spiffe://plane.example/agent/west"), False),
        ("spiffe://plane.example/agent/e*", (EAST,), True),
        ("spiffe://plane.example/*", (EAST,), False),
        ("spiffe://plane.example/*/*", (EAST,), True),
        ("spiffe://plane.example/agent/eas.", (EAST,), False),
        (EAST, ("spiffe://plane.example.evil.example/agent/east",), False),
        (PRINT, (EAST,), True),
        (f"sha256:{'ac' * 32}", (EAST,), False),
    ],
)
def test_only_who_is_wanted_is_let_in(wanted: str, uris: tuple[str, ...], fits: bool) -> None:  # noqa: FBT001 - the table's
    assert (not certificates.refusal(wanted, certificates.Peer(PRINT, uris))) == fits
    assert certificates.problem(wanted) == ""


def test_whoever_comes_without_a_certificate_is_nobody() -> None:
    assert "came without one" in certificates.refusal(EAST, certificates.NOBODY)


@pytest.mark.parametrize(
    "wanted", ["CN=east", "spiffe://", "spiffe://plane.example", "spiffe://*/agent", "https://plane.example/a", "sha256:ab", f"{EAST}\n"]
)
def test_what_names_no_certificate_is_refused(wanted: str) -> None:
    assert "must be spiffe://" in certificates.problem(wanted)
