# METADATA
# title: Containers stay within bounds
# description: >-
#   One container without bounds takes the node from its neighbours; a limit far above the request is a promise nobody
#   kept room for.
# custom:
#   id: R02
#   severity: medium
#   category: resources
#   remedy: Lower the limit, or raise the request towards it.
#   references:
#     - NSA Kubernetes Hardening, resource policies
#   parameters:
#     maximum:
#       description: Resource → largest limit of one container.
#       type: object
#       additionalProperties: {type: string}
#       default: {}
#     ratio:
#       description: Resource → how many times its request a limit may be.
#       type: object
#       additionalProperties: {type: number}
#       default: {}
package plane.rules.resource_bounds

import data.plane.lib
import data.plane.lib.quantities

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": message, "path": lib.at(container, ["resources", field, resource])} if {
	some nth, manifest in input.manifests
	some container in lib.containers(manifest)
	some resource, most in lib.setting(about, "maximum")
	some field in ["limits", "requests"]
	value := lib.field(container.spec, ["resources", field, resource], null)
	quantities.number(value) > quantities.number(most)
	message := sprintf("%s has %v %s in resources.%s, more than the %s allowed", [lib.named(container), value, resource, field, most])
}

release_violations contains {"object": nth, "message": message, "path": lib.at(container, ["resources", "limits", resource])} if {
	some nth, manifest in input.manifests
	some container in lib.containers(manifest)
	some resource, most in lib.setting(about, "ratio")
	limit := lib.field(container.spec, ["resources", "limits", resource], null)
	request := lib.field(container.spec, ["resources", "requests", resource], null)
	quantities.number(limit) > quantities.number(request) * most
	message := sprintf("%s has a limit of %v %s, more than %v times its request of %v", [
		lib.named(container), limit, resource, most, request,
	])
}

release_violations contains {"object": nth, "message": message, "path": lib.at(container, ["resources", field, resource])} if {
	some nth, manifest in input.manifests
	some container in lib.containers(manifest)
	some field in ["limits", "requests"]
	some resource, value in lib.mapping(container.spec, ["resources", field])
	not quantities.number(value)
	quantities_matter
	message := sprintf("%s has %v in resources.%s.%s, which is no quantity", [lib.named(container), value, field, resource])
}

quantities_matter if count(lib.setting(about, "maximum")) + count(lib.setting(about, "ratio")) > 0
