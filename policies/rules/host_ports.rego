# METADATA
# title: No ports of the node
# description: >-
#   A hostPort takes a port of every node the pod runs on, past network policies, and two pods cannot share it.
# custom:
#   id: W04
#   severity: high
#   category: pods
#   remedy: Remove hostPort and publish the port with a Service.
#   references:
#     - Pod Security Standards, baseline
#     - CIS Kubernetes 5.2.13
#   parameters:
#     from:
#       description: First port that may be taken; 0 means none.
#       type: integer
#       default: 0
#     to:
#       description: Last port that may be taken.
#       type: integer
#       default: 0
package plane.rules.host_ports

import data.plane.lib

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": message, "path": lib.at(container, ["ports", index, "hostPort"])} if {
	some nth, manifest in input.manifests
	some container in lib.containers(manifest)
	some index, port in lib.list(container.spec, ["ports"])
	number := lib.field(port, "hostPort", null)
	not number in {null, 0}
	not permitted(number)
	message := sprintf("%s takes port %v of the node", [lib.named(container), number])
}

permitted(number) if {
	lib.setting(about, "from") > 0
	number >= lib.setting(about, "from")
	number <= lib.setting(about, "to")
}
