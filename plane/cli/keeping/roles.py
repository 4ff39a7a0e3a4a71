"""`plane role` and `plane rolebinding`: what people may do, as documents."""

from plane.cli import kinds, nouns

role = nouns.group(kinds.ROLE, "A tenant's own roles, each a set of permissions.")
rolebinding = nouns.group(kinds.ROLE_BINDING, "Roles given to users, groups and services.")
