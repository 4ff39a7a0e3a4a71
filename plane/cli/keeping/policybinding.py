"""`plane policybinding`: where policy sets hold."""

from plane.cli import kinds, nouns

_DOC = "Policy bindings: where policies hold; `-T -` for the platform's own, `-P` for a project's. Make them with `plane apply`."
policybinding = nouns.group(kinds.POLICY_BINDING, _DOC)
