# METADATA
# title: The app fits into its project's quota
# description: >-
#   What does not fit is refused pod by pod in the cluster, where nobody looks; here it is one sentence beforehand.
# custom:
#   id: R03
#   severity: medium
#   category: resources
#   remedy: Lower requests or replicas, or ask the platform team for more.
#   references:
#     - NSA Kubernetes Hardening, resource policies
#   parameters:
#     quota:
#       description: Resource → sum of requests times replicas that one release may ask for; the project's when not given.
#       type: object
#       additionalProperties: {type: string}
#       default: {}
package plane.rules.quota

import data.plane.lib
import data.plane.lib.quantities

about := lib.about(rego.metadata.chain())

quota := lib.setting(about, "quota") if {
	count(lib.setting(about, "quota")) > 0
} else := lib.mapping(input, ["project", "quota"])

release_violations contains {"message": message} if {
	some resource, most in quota
	asked := sum([need | some manifest in input.manifests; need := needed(manifest, resource)])
	asked > quantities.number(most)
	message := sprintf("all pods together request %v %s, and the quota is %s", [asked, resource, most])
}

needed(manifest, resource) := replicas(manifest) * sum([needs(pod.spec, resource) | some pod in lib.pods(manifest)])

# As the scheduler counts: what the pod asks for itself, or the larger of what runs and of what starts; and its overhead.
needs(pod, resource) := amount(lib.mapping(pod, ["resources"]), resource) + overhead(pod, resource) if {
	lib.field(pod, ["resources", "requests", resource], null) != null
} else := max([running(pod, resource), starting(pod, resource)]) + overhead(pod, resource)

running(pod, resource) := sum([amount(lib.mapping(one, ["resources"]), resource) |
	some one in array.concat(lib.list(pod, ["containers"]), sidecars(lib.list(pod, ["initContainers"])))
])

# Each init container runs beside the sidecars that began before it.
starting(pod, resource) := max(array.concat([0], [need |
	some index, one in lib.list(pod, ["initContainers"])
	before := sidecars(array.slice(lib.list(pod, ["initContainers"]), 0, index))
	need := amount(lib.mapping(one, ["resources"]), resource) + sum([amount(lib.mapping(each, ["resources"]), resource) | some each in before])
]))

sidecars(several) := [one | some one in several; lib.text(one, ["restartPolicy"]) == "Always"]

overhead(pod, resource) := quantities.number(lib.field(pod, ["overhead", resource], 0))

# A limit alone is a request of as much.
amount(resources, resource) := quantities.number(lib.field(resources, ["requests", resource], lib.field(resources, ["limits", resource], 0)))

replicas(manifest) := number if {
	manifest.kind in {"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"}
	number := lib.field(manifest, ["spec", "replicas"], 1)
	is_number(number)
} else := number if {
	manifest.kind == "Job"
	number := lib.field(manifest, ["spec", "parallelism"], 1)
	is_number(number)
} else := 0 if {
	manifest.kind == "PodTemplate"
} else := 1
