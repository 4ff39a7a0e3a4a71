"""IP addresses and CIDRs in Kubernetes' CEL.

Source: k8s.io/apiserver/pkg/cel/library/ip.go and cidr.go, Kubernetes 1.36, over Go's net/netip.
"""

import ipaddress
import re
from collections.abc import Callable

from plane.adapters.scripting import cel_types
from plane.adapters.scripting.cel_types import BOOL, INT, MAP, TEXT, Function, Value

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_IP, _CIDR = "kubernetes.ip", "kubernetes.cidr"
_BITS = re.compile(r"0|[1-9][0-9]{0,2}", re.ASCII)
_LOCAL_V4, _LOCAL_V6 = ipaddress.ip_network("224.0.0.0/24"), 0xFF02  # link-local multicast; of IPv6 with any flags
_BROADCAST = ipaddress.ip_address("255.255.255.255")


def functions() -> tuple[Function, ...]:
    """All of both libraries but `string`, which CEL's own would have to give way to."""
    return (
        Function("ip", MAP, [TEXT], lambda text: _ip(_address(text))),
        Function("isIP", BOOL, [TEXT], lambda text: _is(_address, text)),
        Function("ip.isCanonical", BOOL, [TEXT], lambda text: str(_address(text)) == text),
        Function("family", INT, [MAP], lambda one: _of(one).version, member=True),
        Function("isUnspecified", BOOL, [MAP], lambda one: _of(one).is_unspecified, member=True),
        Function("isLoopback", BOOL, [MAP], lambda one: _of(one).is_loopback, member=True),
        Function("isLinkLocalMulticast", BOOL, [MAP], lambda one: _local_multicast(_of(one)), member=True),
        Function("isLinkLocalUnicast", BOOL, [MAP], lambda one: _of(one).is_link_local, member=True),
        Function("isGlobalUnicast", BOOL, [MAP], lambda one: _global_unicast(_of(one)), member=True),
        Function("cidr", MAP, [TEXT], lambda text: _cidr(*_prefix(text))),
        Function("isCIDR", BOOL, [TEXT], lambda text: _is(_prefix, text)),
        Function("ip", MAP, [MAP], lambda one: _ip(_parts(one)[0]), member=True),
        Function("prefixLength", INT, [MAP], lambda one: _parts(one)[1], member=True),
        Function("masked", MAP, [MAP], lambda one: _cidr(_network(one).network_address, _parts(one)[1]), member=True),
        Function("containsIP", BOOL, [MAP, TEXT], lambda one, text: _holds(one, _address(text)), member=True),
        Function("containsIP", BOOL, [MAP, MAP], lambda one, other: _holds(one, _of(other)), member=True),
        Function("containsCIDR", BOOL, [MAP, TEXT], lambda one, text: _covers(one, _cidr(*_prefix(text))), member=True),
        Function("containsCIDR", BOOL, [MAP, MAP], _covers, member=True),
    )


def _address(text: str) -> Address:
    """ValueError where Kubernetes sees none: zones and IPv4 addresses mapped into IPv6 are no addresses to it."""
    found = ipaddress.ip_address(text)
    if isinstance(found, ipaddress.IPv6Address) and (found.scope_id is not None or found.ipv4_mapped is not None):
        message = f"IP address {text!r} with a zone, or mapped from IPv4, is not allowed"
        raise ValueError(message)
    return found


def _prefix(text: str) -> tuple[Address, int]:
    """Address and length; the address may have bits behind the length."""
    address, _, bits = text.rpartition("/")
    found = _address(address)
    if not _BITS.fullmatch(bits) or int(bits) > found.max_prefixlen:
        message = f"network address {text!r} has no prefix length that fits"
        raise ValueError(message)
    return found, int(bits)


def _is(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _ip(address: Address) -> Value:
    return {_IP: str(address)}


def _cidr(address: Address, bits: int) -> Value:
    return {_CIDR: f"{address}/{bits}"}


def _of(value: Value) -> Address:
    return ipaddress.ip_address(cel_types.content(value, _IP))


def _parts(value: Value) -> tuple[Address, int]:
    return _prefix(cel_types.content(value, _CIDR))


def _network(value: Value) -> Network:
    return ipaddress.ip_network(cel_types.content(value, _CIDR), strict=False)


def _holds(value: Value, address: Address) -> bool:
    return address in _network(value)


def _covers(value: Value, other: Value) -> bool:
    one, two = _network(value), _network(other)
    return one.version == two.version and one.prefixlen <= two.prefixlen and two.network_address in one


def _local_multicast(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address in _LOCAL_V4
    return (int(address) >> 112) & 0xFF0F == _LOCAL_V6


def _global_unicast(address: Address) -> bool:
    special = address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    return not special and address != _BROADCAST
