# METADATA
# title: Pod security of a namespace is not lowered
# description: >-
#   The labels of a namespace decide what the admission controller refuses in it; who writes them decides for all its
#   pods.
# custom:
#   id: N07
#   severity: high
#   category: tenancy
#   remedy: Remove the label, or name the level the platform asks for or a stricter one.
#   references:
#     - Pod Security Standards, namespace labels
#     - CIS Kubernetes 5.2.1
#   parameters:
#     level:
#       description: The least that enforce, audit and warn may be set to.
#       type: string
#       enum: [privileged, baseline, restricted]
#       default: baseline
package plane.rules.pod_security_labels

import data.plane.lib

about := lib.about(rego.metadata.chain())

order := {"privileged": 0, "baseline": 1, "restricted": 2}

release_violations contains {"object": nth, "message": message, "path": lib.pointer(["metadata", "labels", label])} if {
	some nth, manifest in input.manifests
	lib.is_kind(manifest, "", "Namespace")
	some mode in ["enforce", "audit", "warn"]
	label := sprintf("pod-security.kubernetes.io/%s", [mode])
	level := lib.field(manifest, ["metadata", "labels", label], null)
	level != null
	not enough(level)
	message := sprintf("%s is %v, below %s", [label, level, lib.setting(about, "level")])
}

enough(level) if order[level] >= order[lib.setting(about, "level")]
