"""`plane resourcerule`: what holds for the apps of every tenant."""

from plane.cli import kinds, nouns

_DOC = "Platform-wide ignored differences and excluded kinds. Create them with `plane apply`."
resourcerule = nouns.group(kinds.RESOURCE_RULE, _DOC)
