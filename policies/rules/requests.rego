# METADATA
# title: Containers say what they need
# description: >-
#   Without requests the scheduler packs blindly and the node evicts whoever is in the way. A limit counts as a request, as
#   the API server counts it; so do requests of the whole pod.
# custom:
#   id: R01
#   severity: medium
#   remedy: Set resources.requests on the container.
#   parameters:
#     requests:
#       description: Resources that need a request.
#       default: [cpu, memory]
#     limits:
#       description: Resources that need a limit.
#       default: []
package plane.rules.requests

import data.plane.lib

about := lib.about(rego.metadata.chain())

wanted := {
	"requests": lib.parameter("R01", "requests", ["cpu", "memory"]),
	"limits": lib.parameter("R01", "limits", []),
}

counts := {"requests": ["requests", "limits"], "limits": ["limits"]}

violations contains {"message": message, "path": sprintf("%s/resources", [container.pointer])} if {
	some container in lib.containers(input.manifest)
	container.field != "ephemeralContainers" # they cannot have resources
	some kind, resources in wanted
	missing := [resource | some resource in resources; not given(container, kind, resource)]
	count(missing) > 0
	message := sprintf("%s has no %s in resources.%s", [lib.named(container), concat(" and no ", missing), kind])
}

given(container, kind, resource) if {
	some owner in [container.spec, container.pod]
	some field in counts[kind]
	not object.get(owner, ["resources", field, resource], "") in {"", null}
}
