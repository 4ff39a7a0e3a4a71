# METADATA
# title: A host belongs to one project
# description: >-
#   Two routes for one host share its traffic, its cookies and its certificate; a wildcard or an empty host takes
#   those of everybody.
# custom:
#   id: T02
#   severity: high
#   category: network
#   remedy: Name a host of the project's own, or have it given to the project.
#   references:
#     - Threat model, objects of another app
#   parameters:
#     hosts:
#       description: Hosts the project may use; with *. anything below counts. Without a list, any that nobody else has.
#       type: array
#       items: {type: string}
#       default: []
#     wildcards:
#       description: Whether wildcard hosts are allowed.
#       type: boolean
#       default: false
package plane.rules.hosts

import data.plane.lib
import data.plane.lib.hosts

about := lib.about(rego.metadata.chain())

allowed := lib.setting(about, "hosts")

# Hosts of others by host, and wildcards aside, so that each host of the release needs one look.
taken[hosts.normal(entry.host)] contains entry.owner if {
	some entry in lib.list(input, ["inventory", "hosts"])
}

wild contains host if {
	some host, _ in taken
	startswith(host, "*.")
}

release_violations contains {"message": message, "object": index, "path": route.pointer} if {
	some index, manifest in input.manifests
	some route in hosts.of(manifest)
	route.host == ""
	message := "without a host it answers for every host that nobody else names"
}

release_violations contains {"message": message, "object": index, "path": route.pointer} if {
	lib.setting(about, "wildcards") == false
	some index, manifest in input.manifests
	some route in hosts.of(manifest)
	startswith(route.host, "*.")
	message := sprintf("the host %q takes all names below it", [route.host])
}

release_violations contains {"message": message, "object": index, "path": route.pointer} if {
	count(allowed) > 0
	some index, manifest in input.manifests
	some route in hosts.of(manifest)
	route.host != ""
	not mine(route.host)
	message := sprintf("the host %q is none of the project's (%s)", [route.host, concat(", ", allowed)])
}

release_violations contains {"message": message, "object": index, "path": route.pointer} if {
	some index, manifest in input.manifests
	some route in hosts.of(manifest)
	route.host != ""
	some host in candidates(route.host)
	some owner in taken[host]
	owner != lib.text(input, ["context", "project"])
	message := sprintf("the host %q belongs to %s (%s)", [route.host, owner, host])
}

mine(host) if {
	some pattern in allowed
	hosts.within(pattern, host)
}

# What may be taken already and meets this host: itself, wildcards above it, and all below it when it is one.
candidates(host) := ({host} | {other | some other in wild; hosts.overlap(other, host)}) | {other |
	startswith(host, "*.")
	some other, _ in taken
	hosts.covers(host, other)
}
