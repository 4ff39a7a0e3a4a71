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
#       description: Resource → largest limit of one container, and of a pod that sets one for all of its containers.
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

release_violations contains {"object": nth, "message": message, "path": at(holder, [field, resource])} if {
	some nth, manifest in input.manifests
	some holder in holders(manifest)
	some resource, most in lib.setting(about, "maximum")
	some field in ["limits", "requests"]
	value := lib.field(holder.resources, [field, resource], null)
	quantities.number(value) > quantities.number(most)
	message := sprintf("%s has %v %s in resources.%s, more than the %s allowed", [holder.who, value, resource, field, most])
}

release_violations contains {"object": nth, "message": message, "path": at(holder, ["limits", resource])} if {
	some nth, manifest in input.manifests
	some holder in holders(manifest)
	some resource, most in lib.setting(about, "ratio")
	limit := lib.field(holder.resources, ["limits", resource], null)
	request := lib.field(holder.resources, ["requests", resource], null)
	quantities.number(limit) > quantities.number(request) * most
	message := sprintf("%s has a limit of %v %s, more than %v times its request of %v", [holder.who, limit, resource, most, request])
}

release_violations contains {"object": nth, "message": message, "path": at(holder, [field, resource])} if {
	some nth, manifest in input.manifests
	some holder in holders(manifest)
	some field in ["limits", "requests"]
	some resource, value in lib.mapping(holder.resources, [field])
	not quantities.number(value)
	quantities_matter
	message := sprintf("%s has %v in resources.%s.%s, which is no quantity", [holder.who, value, field, resource])
}

# Containers, and pods that say it for all of theirs.
holders(manifest) := {{"who": lib.named(container), "resources": resources, "pointer": container.pointer} |
	some container in lib.containers(manifest)
	resources := lib.mapping(container.spec, ["resources"])
} | {{"who": "the pod", "resources": resources, "pointer": pod.pointer} |
	some pod in lib.pods(manifest)
	resources := lib.mapping(pod.spec, ["resources"])
}

at(holder, path) := lib.at(holder, array.concat(["resources"], path))

quantities_matter if count(lib.setting(about, "maximum")) + count(lib.setting(about, "ratio")) > 0
