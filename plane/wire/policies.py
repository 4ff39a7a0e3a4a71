"""Policies as answers of the API show them."""

from plane.domain.judging import policy
from plane.wire.rest import Answer


class EffectiveRule(Answer, frozen=True, kw_only=True):
    """A rule of a policy set, or with `*` all of its others: the strictest mode, and the binding that says so."""

    set: str
    rule: str
    mode: policy.Mode
    by: str
    namespaces: tuple[str, ...] = ()


class Effective(Answer, frozen=True, kw_only=True):
    """What holds for an app. `until`: when time alone changes it; `problems`: bindings that cannot hold, which deny everything.

    `warnings`: policy sets that are not what their source says.
    """

    rules: tuple[EffectiveRule, ...] = ()
    waivers: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    until: str = ""
