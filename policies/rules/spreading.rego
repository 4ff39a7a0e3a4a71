# METADATA
# title: Replicas are spread over nodes
# description: Three replicas on one node are one replica when the node goes.
# custom:
#   id: A04
#   severity: low
#   category: availability
#   remedy: Add topologySpreadConstraints over kubernetes.io/hostname or topology.kubernetes.io/zone.
#   references:
#     - Kubernetes documentation, pod topology spread constraints
#   parameters:
#     replicas:
#       description: From how many replicas on it is asked for.
#       type: integer
#       default: 3
package plane.rules.spreading

import data.plane.lib

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": message, "path": "/spec/template/spec"} if {
	some nth, manifest in input.manifests
	manifest.kind in {"Deployment", "StatefulSet"}
	replicas := lib.field(manifest, ["spec", "replicas"], 1)
	replicas >= lib.setting(about, "replicas")
	pod := lib.mapping(manifest, ["spec", "template", "spec"])
	lib.list(pod, ["topologySpreadConstraints"]) == []
	lib.mapping(pod, ["affinity", "podAntiAffinity"]) == {}
	message := sprintf("%v replicas and neither topologySpreadConstraints nor podAntiAffinity", [replicas])
}
