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

needed(manifest, resource) := replicas(manifest) * sum([amount |
	some container in lib.containers(manifest)
	container.field == "containers"
	amount := quantities.number(requested(container.spec, resource))
])

requested(spec, resource) := lib.field(spec, ["resources", "requests", resource], lib.field(spec, ["resources", "limits", resource], 0))

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
