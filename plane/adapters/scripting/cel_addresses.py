"""URLs in Kubernetes' CEL, as far as Go's net/url and the standard leave no doubt; what is odd is said to be untold.

Source: k8s.io/apiserver/pkg/cel/library/urls.go, Kubernetes 1.36.
"""

import ipaddress
import re
import urllib.parse

from plane.adapters.scripting import cel_types
from plane.adapters.scripting.cel_types import BOOL, DYN, MAP, TEXT, Function, Value

_KIND = "kubernetes.url"
_CHARS = r"[A-Za-z0-9._~!$&'()*+,=:@-]|%[0-7][0-9A-Fa-f]"
_PLAIN = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:[A-Za-z0-9._~!$&'()*+,=-]+(?::[A-Za-z0-9._~!$&'()*+,=-]*)?@)?"
    r"(?P<host>(?P<name>[A-Za-z0-9._~-]+|\[(?P<six>[0-9A-Fa-f:.]+)\])(?::(?P<port>[0-9]*))?))?"
    rf"(?P<path>(?:/(?:{_CHARS})*)*)(?:\?(?P<query>(?:{_CHARS}|[/?])*))?(?P<fragment>\#(?:{_CHARS}|[/?])*)?",
    re.ASCII,
)
_NONE = re.compile(r"[A-Za-z0-9._~@,+-]*", re.ASCII)  # neither a scheme nor a path: no URL of Go's


def functions() -> tuple[Function, ...]:
    """All of the library."""
    return (
        Function("url", MAP, [TEXT], _url),
        Function("isURL", BOOL, [TEXT], lambda text: _read(text) is not None),
        Function("getScheme", TEXT, [MAP], lambda one: _part(one, "scheme").lower(), member=True),
        Function("getHost", TEXT, [MAP], lambda one: _part(one, "host"), member=True),
        Function("getHostname", TEXT, [MAP], lambda one: _part(one, "six") or _part(one, "name"), member=True),
        Function("getPort", TEXT, [MAP], lambda one: _part(one, "port"), member=True),
        Function("getEscapedPath", TEXT, [MAP], lambda one: _part(one, "path"), member=True),
        Function("getQuery", DYN, [MAP], lambda one: urllib.parse.parse_qs(_part(one, "query"), keep_blank_values=True), member=True),
    )


def _url(text: str) -> Value:
    if _read(text) is None:
        message = f"{text!r} is no URL"
        raise ValueError(message)
    return {_KIND: text}


def _read(text: str) -> re.Match[str] | None:
    """None: no URL."""
    if _NONE.fullmatch(text):
        return None
    found = _PLAIN.fullmatch(text)
    if found is None or _is_odd(found):
        raise cel_types.untold(f"whether {text[:100]!r} is a URL, or what its parts are")
    return found


def _is_odd(found: re.Match[str]) -> bool:
    """Where Go and the standard part, or Go and its own older versions."""
    if not found["scheme"]:
        return not found["path"] or found["path"].startswith("//")
    bare = found["fragment"] is not None and not found["path"] and found["query"] is None
    return bare or (found["six"] is not None and not _is_six(found["six"]))


def _is_six(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _part(value: Value, name: str) -> str:
    found = _read(cel_types.content(value, _KIND))
    return (found[name] or "") if found else ""
