"""`plane workloadtrust`: which machines' own tokens become a service."""

from plane.cli import kinds, nouns

_DOC = "Trust rules for CI jobs; `-T -` for the platform's own. Create them with `plane apply`, test them with `plane try trust`."
workloadtrust = nouns.group(kinds.WORKLOAD_TRUST, _DOC)
