"""Whom a cluster's grants reach: tenants by name, or by label with namespaces that bear the tenant's name."""

import fnmatch
import functools
import itertools
import re
import string
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from plane.domain import errors, fleet, labels

TENANT = "{tenant}"  # in a glob of namespaces of a grant by label
_SIGNS = string.ascii_lowercase + string.digits + "-"  # all that a namespace's name is made of
_TOKEN = re.compile(r"\*+|\[!?\]?[^\]]*\]|.", re.DOTALL)  # as fnmatch reads them
Problems = dict[str, str]  # path → broken rule


class Tenant(msgspec.Struct, frozen=True):
    """A tenant as grants see it."""

    name: str
    labels: Mapping[str, str] = {}


class Clash(msgspec.Struct, frozen=True):
    """Two tenants whose grants cover one namespace."""

    one: str
    other: str
    globs: tuple[str, str]

    def __str__(self) -> str:
        mine, theirs = self.globs
        both = f"gives {mine} to {self.one} and {theirs} to {self.other}, and some namespaces are both"
        return f"{both}; choose a glob that cannot begin like another tenant's, such as {TENANT}--*, or name one of the two in a grant"


def awarded(grants: Iterable[fleet.Grant], tenant: Tenant) -> fleet.Grant | None:
    """What a tenant may use, written with its name: the grant that names it, else the first by label that fits."""
    listed = tuple(grants)
    named = next((one for one in listed if one.tenant == tenant.name), None)
    fits = (one for one in listed if one.selector and labels.matches(labels.parse(one.selector), tenant.labels))
    return named or next((_for(one, tenant) for one in fits), None)


def _for(grant: fleet.Grant, tenant: Tenant) -> fleet.Grant:
    globs = tuple(glob.replace(TENANT, tenant.name) for glob in grant.namespaces)
    return msgspec.structs.replace(grant, tenant=tenant.name, selector="", namespaces=globs)


def clash(grants: Sequence[fleet.Grant], tenants: Iterable[Tenant]) -> Clash | None:
    """The first namespaces that two tenants would share because of a grant by label. What names both is the platform's own word."""
    named = {one.tenant for one in grants}
    given = [one for tenant in tenants if (one := awarded(grants, tenant))]
    listed = sorted((_begins(glob), glob, one.tenant) for one in given for glob in one.namespaces)
    for n, (begins, glob, tenant) in enumerate(listed):
        for after, other, theirs in itertools.islice(listed, n + 1, None):
            if not after.startswith(begins):
                break  # it cannot meet this one, nor those after it
            if tenant != theirs and not named.issuperset({tenant, theirs}) and meet(glob, other):
                return Clash(tenant, theirs, (glob, other))
    return None


def _begins(glob: str) -> str:
    """All that comes before the first sign that stands for others."""
    return re.split(r"[*?\[]", glob, maxsplit=1)[0]


def meet(one: str, other: str) -> bool:
    """Whether some namespace is as both globs say."""
    left, right = _read(one), _read(other)

    @functools.cache
    def rest(i: int, j: int) -> bool:
        if i < len(left) and left[i] is None:
            return rest(i + 1, j) or (j < len(right) and rest(i, j + 1))
        if j < len(right) and right[j] is None:
            return rest(i, j + 1) or (i < len(left) and rest(i + 1, j))
        if i == len(left) or j == len(right):
            return i == len(left) and j == len(right)
        return bool((left[i] or frozenset()) & (right[j] or frozenset())) and rest(i + 1, j + 1)

    return rest(0, 0)


@functools.lru_cache(4096)
def _read(glob: str) -> tuple[frozenset[str] | None, ...]:
    """The signs that may stand at each place; None: any number of any."""
    return tuple(None if token[0] == "*" else _signs(token) for token in _TOKEN.findall(glob))


def _signs(token: str) -> frozenset[str]:
    return frozenset(sign for sign in _SIGNS if fnmatch.fnmatchcase(sign, token))


def problems(grants: Sequence[fleet.Grant]) -> Problems:
    """Broken rules by path that hold whichever tenants there are."""
    found: Problems = {}
    for n, one in enumerate(grants):
        found |= {f"grants[{n}].{field}": rule for field, rule in _problems(one)}
    if len({one.tenant for one in grants if one.tenant}) < sum(bool(one.tenant) for one in grants):
        found["grants"] = "a tenant may be named once; put its namespaces into one grant"
    return found


def _problems(one: fleet.Grant) -> Iterable[tuple[str, str]]:
    if bool(one.tenant) == bool(one.selector):
        yield "tenant", "exactly one of tenant and selector is needed"
    if not one.namespaces:
        yield "namespaces", "name at least one glob of namespaces"
    if one.selector and not all(TENANT in glob for glob in one.namespaces):
        yield "namespaces", f"each glob of a grant by label must hold {TENANT}, so that no two tenants share a namespace"
    if one.tenant and any(TENANT in glob for glob in one.namespaces):
        yield "namespaces", f"{TENANT} has a meaning only in a grant by label; write the name"
    try:
        labels.parse(one.selector)
    except errors.Invalid as error:
        yield "selector", next(iter(error.problems.values()))
