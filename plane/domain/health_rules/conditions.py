"""Rules that many projects share."""

from plane.domain.health_rules import rules
from plane.domain.health_rules.rules import Rule

# Ready False means that something is wrong; Unknown or nothing that it is under way.
READY = Rule((rules.when("Degraded", "Ready", "False"), rules.when("Healthy", "Ready")))
# Ready False is said on the way too.
READY_IN_TIME = Rule((rules.when("Degraded", "Stalled"), rules.when("Progressing", "Reconciling"), rules.when("Healthy", "Ready")))
# Read by another program, which writes nothing back.
PASSIVE = Rule(otherwise="Healthy", untouched="Healthy")
