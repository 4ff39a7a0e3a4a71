# METADATA
# title: Containers say what they need
# description: >-
#   Without requests the scheduler packs blindly and the node evicts whoever is in the way. A limit counts as a
#   request, as the API server counts it; so do requests of the whole pod.
# custom:
#   id: R01
#   severity: medium
#   category: resources
#   remedy: Set resources.requests on the container.
#   references:
#     - NSA Kubernetes Hardening, resource policies
#   parameters:
#     requests:
#       description: Resources that need a request.
#       type: array
#       items: {type: string}
#       default: [cpu, memory]
#     limits:
#       description: Resources that need a limit.
#       type: array
#       items: {type: string}
#       default: []
#     exempt:
#       description: Names of containers that are left out, such as injected sidecars.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.requests

import data.plane.lib

about := lib.about(rego.metadata.chain())

wanted := {
	"requests": lib.setting(about, "requests"),
	"limits": lib.setting(about, "limits"),
}

counts := {"requests": ["requests", "limits"], "limits": ["limits"]}

violations contains {"message": message, "path": sprintf("%s/resources", [container.pointer])} if {
	some container in lib.containers(input.manifest)
	container.field != "ephemeralContainers" # they cannot have resources
	not container.name in lib.setting(about, "exempt")
	some kind, resources in wanted
	missing := [resource | some resource in resources; not given(container, kind, resource)]
	count(missing) > 0
	message := sprintf("%s has no %s in resources.%s", [lib.named(container), concat(" and no ", missing), kind])
}

given(container, kind, resource) if {
	some owner in [container.spec, container.pod]
	some field in counts[kind]
	not lib.field(owner, ["resources", field, resource], "") in {"", null}
}
