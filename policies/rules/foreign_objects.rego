# METADATA
# title: One object, one app
# description: >-
#   Two apps that keep the same object overwrite each other on every sync, and the one that goes takes it along.
# custom:
#   id: N06
#   severity: high
#   category: tenancy
#   remedy: Leave the object to the app that has it, rename it, or let go of it there first.
#   references:
#     - Threat model, objects of another app
#   parameters: {}
package plane.rules.foreign_objects

import data.plane.lib

about := lib.about(rego.metadata.chain())

owners[[lib.text(entry, ["group"]), entry.kind, lib.text(entry, ["namespace"]), entry.name]] contains entry.owner if {
	some entry in lib.list(input, ["inventory", "owners"])
}

release_violations contains {"message": message, "object": index} if {
	some index, manifest in input.manifests
	some owner in owners[lib.identity(manifest)]
	owner != me
	message := sprintf("the object belongs to %s", [owner])
}

me := sprintf("%s/%s", [lib.text(input, ["context", "project"]), lib.text(input, ["context", "app"])])
