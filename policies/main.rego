# METADATA
# title: Driver
# description: >-
#   Asks every rule about every manifest in one query. It is part of each policy set; a rule is a package directly below
#   plane.rules with a set named violations.
package plane.main

# The input is named field by field: `with input.manifest as …` would copy all manifests for each of them.
violations contains answer if {
	some index, manifest in input.manifests
	some name
	some found in data.plane.rules[name].violations with input as {
		"manifest": manifest,
		"manifests": input.manifests,
		"context": input.context,
		"parameters": input.parameters,
	}
	answer := {"rule": name, "about": about(name), "index": index, "found": found}
}

about(name) := data.plane.rules[name].about

default about(_) := {}
