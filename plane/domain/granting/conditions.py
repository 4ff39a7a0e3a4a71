"""What a role may hang on besides its place: clusters by label, a time, a network, a fresh login."""

import datetime as dt
import ipaddress
from collections.abc import Mapping

import msgspec

Labels = tuple[tuple[str, str], ...]


class Terms(msgspec.Struct, frozen=True):
    """All must hold. Empty: it always holds. `clusters`: labels that the cluster of what is asked about must carry."""

    clusters: Labels = ()
    until: dt.datetime | None = None
    networks: tuple[str, ...] = ()  # CIDR; one of them holds the caller's address
    fresh_s: int = 0  # the caller logged in no longer ago


ALWAYS = Terms()


def unmet(terms: Terms, *, now: dt.datetime, address: str, login: dt.datetime | None) -> str:
    """Why a role does not hold for this caller now, or the empty string; clusters are not looked at."""
    if terms.until and terms.until <= now:
        return f"it ended at {terms.until:%Y-%m-%d %H:%M} UTC"
    if terms.networks and not any(_inside(address, network) for network in terms.networks):
        return f"it holds from {', '.join(terms.networks)} only, and this is {address or 'an unknown address'}"
    if terms.fresh_s and (login is None or (now - login).total_seconds() > terms.fresh_s):
        return f"it needs a login no older than {terms.fresh_s // 60} minutes"
    return ""


def fits(terms: Terms, cluster: Mapping[str, str] | None) -> bool:
    """Whether a cluster with these labels is one of the terms'; None: no cluster is known."""
    return not terms.clusters or (cluster is not None and all(cluster.get(key) == value for key, value in terms.clusters))


def within(given: Terms, held: Terms) -> bool:
    """Whether `given` holds at no moment and nowhere that `held` does not."""
    return (
        set(held.clusters) <= set(given.clusters)
        and (held.until is None or (given.until is not None and given.until <= held.until))
        and confined(given.networks, held.networks)
        and (not held.fresh_s or 0 < given.fresh_s <= held.fresh_s)
    )


def confined(networks: tuple[str, ...], to: tuple[str, ...]) -> bool:
    """Whether all of `networks` lie in some of `to`; none: everywhere."""
    return not to or (bool(networks) and all(_below(one, to) for one in networks))


def network_problem(text: str) -> str:
    """Why this is no network, or the empty string."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return f"{text[:50]!r} is no network; write an address and a length, such as 192.0.2.0/24, without bits to the right of the length"
    return ""


def _inside(address: str, network: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)  # ::ffff:192.0.2.1, as a listener for both families sees an IPv4 caller
    return (mapped or found) in ipaddress.ip_network(network)


def _below(network: str, above: tuple[str, ...]) -> bool:
    one = ipaddress.ip_network(network)
    return any(
        one.subnet_of(other)  # type: ignore[arg-type]  # of one family, as just compared
        for other in map(ipaddress.ip_network, above)
        if other.version == one.version
    )
