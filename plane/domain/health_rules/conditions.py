"""Rules that many projects share."""

from plane.domain.health_rules.rules import Rule, when

# Ready False means that something is wrong; Unknown or nothing that it is under way.
READY = Rule((when("Degraded", "Ready", "False"), when("Healthy", "Ready")))
# Ready False is said on the way too.
READY_IN_TIME = Rule((when("Degraded", "Stalled"), when("Progressing", "Reconciling"), when("Healthy", "Ready")))
# Read by another program, which writes nothing back.
PASSIVE = Rule(otherwise="Healthy", untouched="Healthy")
