# METADATA
# title: Driver
# description: >-
#   Asks every rule about every manifest in one query. It is part of each policy set; a rule is a package directly below
#   plane.rules with a set named violations, asked of each manifest, or release_violations, asked once of them all.
package plane.main

# What is neither a set nor a list is no answer: sort ends the query, where an iteration would find nothing in it.
# The input is named field by field: `with input.manifest as …` would copy all manifests for each of them.
violations contains answer if {
	some index, manifest in input.manifests
	some name
	value := data.plane.rules[name].violations with input as {
		"manifest": manifest,
		"manifests": input.manifests,
		"context": input.context,
		"parameters": input.parameters,
		"project": project,
		"cluster": cluster,
	}
	some found in sort(value)
	answer := {"rule": name, "about": about(name), "index": index, "found": found}
}

violations contains answer if {
	some name
	some found in sort(data.plane.rules[name].release_violations)
	answer := {"rule": name, "about": about(name), "index": number(found), "found": found}
}

# Which manifest it is about; -1: what it names itself, or the release.
number(found) := found.object if {
	is_number(found.object)
} else := -1

project := object.get(input, "project", {})

cluster := object.get(input, "cluster", {})

# What an answer repeats of a rule's METADATA; the rest is for people who look rules up.
about(name) := object.filter(data.plane.rules[name].about, ["id", "severity", "remedy"])

default about(_) := {}
