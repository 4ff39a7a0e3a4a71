# METADATA
# title: Nothing points at nothing
# description: >-
#   A selector that does not match its own template is refused by the API server; a Service that selects no pod
#   answers nobody; an autoscaler and a fixed number of replicas undo each other on every sync.
# custom:
#   id: A03
#   severity: high
#   category: availability
#   remedy: Make selector and labels equal, name what exists, and leave replicas to the autoscaler.
#   references:
#     - Kubernetes documentation, labels and selectors
#   parameters: {}
package plane.rules.dangling

import data.plane.lib
import data.plane.lib.selectors

about := lib.about(rego.metadata.chain())

workloads := {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"}

release_violations contains {"object": nth, "message": message, "path": "/spec/selector"} if {
	some nth, manifest in input.manifests
	manifest.kind in (workloads - {"ReplicationController"})
	selector := lib.mapping(manifest, ["spec", "selector"])
	not selectors.selects(selector, lib.mapping(manifest, ["spec", "template", "metadata", "labels"]))
	message := "the selector does not match the labels of the pod template"
}

# Label pairs of all pods of the release, so that a Service needs one look.
pairs[lib.namespace(manifest)][[key, value]] contains index if {
	some index, manifest in input.manifests
	some pod in lib.pods(manifest)
	some key, value in lib.mapping(pod.metadata, ["labels"])
}

release_violations contains {"message": message, "object": index, "path": "/spec/selector"} if {
	some index, manifest in input.manifests
	lib.is_kind(manifest, "", "Service")
	lib.text(manifest, ["spec", "type"]) != "ExternalName"
	selector := lib.mapping(manifest, ["spec", "selector"])
	count(selector) > 0
	found := [lib.field(pairs, [lib.namespace(manifest), [key, value]], set()) | some key, value in selector]
	intersection({one | some one in found}) == set()
	has_pods
	message := sprintf("the Service selects %s, and no pod of the release has these labels", [json.marshal(selector)])
}

# A release without any pod, such as the routes of another app, cannot be judged.
has_pods if count(pairs) > 0

scaled contains [lib.namespace(manifest), kind, name, index] if {
	some index, manifest in input.manifests
	lib.is_kind(manifest, "autoscaling", "HorizontalPodAutoscaler")
	kind := lib.text(manifest, ["spec", "scaleTargetRef", "kind"])
	name := lib.text(manifest, ["spec", "scaleTargetRef", "name"])
}

places[[lib.namespace(manifest), manifest.kind, lib.name(manifest)]] contains index if {
	some index, manifest in input.manifests
	manifest.kind in workloads
}

release_violations contains {"message": message, "object": index, "path": "/spec/scaleTargetRef"} if {
	some [namespace, kind, name, index] in scaled
	kind in workloads
	not places[[namespace, kind, name]]
	message := sprintf("the autoscaler scales %s %s, which is not part of the release", [kind, name])
}

release_violations contains {"message": message, "object": target, "path": "/spec/replicas"} if {
	some [namespace, kind, name, index] in scaled
	some target in places[[namespace, kind, name]]
	lib.field(input.manifests[target], ["spec", "replicas"], null) != null
	message := sprintf("replicas is set, and the autoscaler %s sets it too", [lib.name(input.manifests[index])])
}
