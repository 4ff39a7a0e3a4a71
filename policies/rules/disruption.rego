# METADATA
# title: Nodes can be drained without an outage
# description: >-
#   Two replicas without a PodDisruptionBudget may leave together; a budget that allows no disruption blocks every
#   drain for ever.
# custom:
#   id: A02
#   severity: medium
#   category: availability
#   remedy: Set maxUnavailable to 1 in a PodDisruptionBudget that selects the pods, and run two replicas or more.
#   references:
#     - Kubernetes documentation, specifying a disruption budget
#   parameters:
#     replicas:
#       description: From how many replicas on a budget is asked for.
#       type: integer
#       default: 2
package plane.rules.disruption

import data.plane.lib
import data.plane.lib.selectors

about := lib.about(rego.metadata.chain())

kinds := {"Deployment", "StatefulSet"}

budgets[lib.namespace(manifest)] contains {"index": index, "spec": lib.mapping(manifest, ["spec"])} if {
	some index, manifest in input.manifests
	lib.is_kind(manifest, "policy", "PodDisruptionBudget")
}

release_violations contains {"message": message, "object": index, "path": "/spec/replicas"} if {
	some index, manifest in input.manifests
	manifest.kind in kinds
	replicas := lib.field(manifest, ["spec", "replicas"], 1)
	replicas >= lib.setting(about, "replicas")
	labels := lib.mapping(manifest, ["spec", "template", "metadata", "labels"])
	not protected(lib.namespace(manifest), labels)
	message := sprintf("%v replicas and no PodDisruptionBudget that selects them", [replicas])
}

protected(namespace, labels) if {
	some budget in budgets[namespace]
	selectors.selects(lib.mapping(budget.spec, ["selector"]), labels)
}

release_violations contains {"message": message, "object": budget.index, "path": "/spec"} if {
	some budget in budgets[_]
	lib.field(budget.spec, "maxUnavailable", null) in {0, "0", "0%"}
	message := "maxUnavailable 0 blocks every drain"
}

release_violations contains {"message": "minAvailable 100% blocks every drain", "object": budget.index, "path": "/spec/minAvailable"} if {
	some budget in budgets[_]
	lib.field(budget.spec, "minAvailable", null) == "100%"
}

release_violations contains {"message": message, "object": budget.index, "path": "/spec/minAvailable"} if {
	some manifest in input.manifests
	manifest.kind in kinds
	labels := lib.mapping(manifest, ["spec", "template", "metadata", "labels"])
	some budget in budgets[lib.namespace(manifest)]
	least := lib.field(budget.spec, "minAvailable", null)
	is_number(least)
	selectors.selects(lib.mapping(budget.spec, ["selector"]), labels)
	replicas := lib.field(manifest, ["spec", "replicas"], 1)
	least >= replicas
	message := sprintf("minAvailable %v of the %v replicas of %s blocks every drain", [least, replicas, lib.name(manifest)])
}
