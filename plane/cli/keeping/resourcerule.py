"""`plane resourcerule`: what holds for the apps of every tenant."""

from plane.cli import kinds, nouns

_DOC = "Resource rules: differences that count for no app, and kinds that the plane leaves alone. Make them with `plane apply`."
resourcerule = nouns.group(kinds.RESOURCE_RULE, _DOC)
