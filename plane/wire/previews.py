"""Previews of policies as the API takes and answers them."""

from typing import Annotated, Literal

import msgspec

from plane.domain import tenancy
from plane.domain.judging import policy, policy_bindings, previews
from plane.wire import rest

MODE = Literal["", "audit", "warn", "require-approval", "deny"]


class SetWish(rest.Body, frozen=True, kw_only=True):
    """A policy set that is not kept yet, or another text of one that is."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
    spec: tenancy.PolicySetSpec = tenancy.PolicySetSpec()
    files: dict[str, str] = msgspec.field(default_factory=dict)


class NewPreview(rest.Body, frozen=True, kw_only=True):
    """A set bound somewhere. `set`: its text, else the kept one that the binding names; `bindingName`: a kept binding of the place.

    Without a binding the set is bound everywhere. `mode`: of every rule, whatever set and binding say.
    """

    set: SetWish | None = None
    binding: policy_bindings.BindingSpec | None = None
    binding_name: rest.Text = ""
    mode: MODE = ""


class Sum(rest.Answer, frozen=True, kw_only=True, omit_defaults=True):
    """How many of one name with one verdict or mode. `new`: violations that are not known already."""

    name: str
    word: str
    count: int
    new: int = 0


class Preview(rest.Answer, frozen=True, kw_only=True):
    """How far a preview has come. `counts`: verdict → apps; `outside`: apps that the binding is not about; `notes`: what it cannot know."""

    number: int
    set: str
    digest: str
    mode: policy.Mode
    made_by: str
    made_at: str
    ended_at: str
    total: int
    done: int
    outside: int
    counts: dict[str, int]
    notes: tuple[str, ...] = ()
    by_tenant: tuple[Sum, ...] = ()
    by_cluster: tuple[Sum, ...] = ()
    by_rule: tuple[Sum, ...] = ()


class PreviewApp(rest.Answer, frozen=True, kw_only=True):
    """An app that would be refused, warned of or asked about. `owner`: its label `owner` or `team`, else its project."""

    tenant: str
    project: str
    app: str
    cluster: str
    owner: str
    verdict: str
    found: tuple[previews.Found, ...]


class ComparisonQuery(rest.Body, frozen=True, kw_only=True):
    """`to`: number of the earlier preview."""

    to: Annotated[int, msgspec.Meta(ge=1)]


class PreviewDifference(rest.Answer, frozen=True, kw_only=True):
    """An app whose verdict or violations are others; an empty verdict: nothing was found. `foundBefore`, `foundNow`: violations."""

    tenant: str
    project: str
    app: str
    was: str
    now: str
    found_before: int
    found_now: int


class PreviewComparison(rest.Answer, frozen=True, kw_only=True):
    """Two previews beside each other, at most a thousand apps of them."""

    was: Preview
    now: Preview
    differences: tuple[PreviewDifference, ...]
