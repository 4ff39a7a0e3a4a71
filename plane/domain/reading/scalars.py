"""Plain YAML words as Kubernetes tools read them: the rules of go-yaml 2 below sigs.k8s.io/yaml, then a trip through JSON.

They are YAML 1.1's booleans and nulls, Go's integer literals with `_` allowed anywhere, decimal floats, no base 60; dates stay text.
"""

import base64
import binascii
import decimal
import math
import re
import struct

STANDARD = "tag:yaml.org,2002:"
MERGE_TAG = f"{STANDARD}merge"
# Only a word that begins with one of these can be anything but text.
HINTS = frozenset("+-.0123456789yYnNtTfFoO~")

_TRUE = ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")
_FALSE = ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")
_NULL = ("", "~", "null", "Null", "NULL")
_INFINITY = (".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF")
_WORDS: dict[str, object] = {
    **dict.fromkeys(_TRUE, True),
    **dict.fromkeys(_FALSE, False),
    **dict.fromkeys(_NULL),
    **dict.fromkeys(_INFINITY, math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
# The base 10 group is bounded because longer ones are floats anyway, and Python refuses very long ones. A lone 0 is octal.
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|([1-9][0-9]{0,19}))")
_BASES = (16, 2, 8, 10)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_POINT_FLOAT = re.compile(r"\.[0-9]+(?:[eE][-+]?[0-9]+)?")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]*)?(?:Z|[-+][0-9]{2}:[0-9]{2})?)?"
)
_TYPES: dict[str, type] = {"bool": bool, "int": int, "float": float, "null": type(None)}
_INT64 = 2**63
_UINT64 = 2**64


class BadScalar(ValueError):
    """A word that its tag, or JSON, cannot hold; the text is the rule, without a position."""


def resolve(text: str, tag: str | None = None) -> object:
    """The value of a plain word, or of any word with a tag: None, bool, int (of 64 bits), float or str.

    Raises:
        BadScalar: the tag asks for another type, or base64 is broken.
    """
    if tag is None:
        return _plain(text) if not text or text[0] in HINTS else text
    name = tag.removeprefix(STANDARD)
    if name == "binary":
        return _binary(text)
    if name == "timestamp":
        return _timestamp(text)
    if name not in _TYPES or not tag.startswith(STANDARD):
        return text
    value = _plain(text)
    if name == "float" and type(value) is int:
        return float(value)
    if type(value) is not _TYPES[name]:
        message = f"`{text}` is not a !!{name}"
        raise BadScalar(message)
    return value


def in_json(value: object) -> object:
    """What is left of a resolved value after a trip through JSON: whole floats are integers, integers over 64 bits are floats.

    Raises:
        BadScalar: JSON has no infinity and no NaN.
    """
    if type(value) is int:
        return value if -_INT64 <= value < _INT64 else float(value)
    if type(value) is not float:
        return value
    if not math.isfinite(value):
        message = "infinity and NaN have no place in a Kubernetes object"
        raise BadScalar(message)
    if value.is_integer() and abs(value) < _INT64:
        # Go writes the shortest digits that read back as the same float; above 2^53 they are not the float's exact value.
        return int(decimal.Decimal(repr(value)))
    return value


def key(value: object) -> str:
    """A mapping key as text: true, 8080, 1e+06 (floats as Go prints 32-bit ones).

    Raises:
        BadScalar: null, and integers beyond 64 bits with sign.
    """
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int and -_INT64 <= value < _INT64:
        return str(value)
    if type(value) is float:
        return _float_key(value)
    message = "a key must be text; put it in quotes"
    raise BadScalar(message)


def _plain(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "+-0123456789":
        return _number(text)
    if text[0] == "." and _POINT_FLOAT.fullmatch(text):
        return float(text)
    return text


def _number(text: str) -> object:
    digits = text.replace("_", "")
    whole = _INTEGER.fullmatch(digits)
    if whole:
        value = _integer(whole)
        if -_INT64 <= value < _UINT64 and not (whole[1] and value >= _INT64):
            return value
    if _FLOAT.fullmatch(digits):
        number = float(digits)
        return number if math.isfinite(number) else text
    return text


def _integer(match: re.Match[str]) -> int:
    sign, *groups = match.groups()
    magnitude = next(int(group, base) for group, base in zip(groups, _BASES, strict=True) if group is not None)
    return -magnitude if sign == "-" else magnitude


def _binary(text: str) -> str:
    try:
        return base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        message = "!!binary must be base64 of UTF-8 text; raw bytes belong into binaryData or a Secret's data"
        raise BadScalar(message) from error


def _timestamp(text: str) -> str:
    if _TIMESTAMP.fullmatch(text):
        return text
    message = f"`{text}` is not a !!timestamp"
    raise BadScalar(message)


def _float_key(value: float) -> str:
    """strconv.FormatFloat(value, 'g', -1, 32): the fewest digits that name the same 32-bit float; exponents from 1e-05 and 1e+06."""
    packed = struct.pack("f", value)
    (single,) = struct.unpack("f", packed)
    if not math.isfinite(single):
        return ".nan" if math.isnan(single) else f"{'-' if single < 0 else ''}.inf"
    shortest = next(text for precision in range(9) if struct.pack("f", float(text := f"{single:.{precision}e}")) == packed)
    exponent = int(shortest.partition("e")[2])
    return format(decimal.Decimal(shortest), "f") if -4 <= exponent < 6 else shortest  # noqa: PLR2004 Go's %g bounds
