"""`plane policybinding`: where policy sets hold."""

from plane.cli import kinds, nouns

_DOC = "Where policy sets apply; `-T -` for the platform's own, `-P` for a project's. Create them with `plane apply`."
policybinding = nouns.group(kinds.POLICY_BINDING, _DOC)
