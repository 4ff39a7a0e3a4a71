# METADATA
# title: Long-running containers have probes
# description: >-
#   Without a readiness probe traffic reaches a pod that is not there yet; a liveness probe equal to it restarts pods
#   that are merely busy.
# custom:
#   id: A01
#   severity: medium
#   category: availability
#   remedy: Add a readinessProbe, and a livenessProbe that only fails when a restart helps.
#   references:
#     - Kubernetes documentation, configure liveness, readiness and startup probes
#   parameters:
#     probes:
#       description: Probes that are asked for.
#       type: array
#       items: {type: string, enum: [livenessProbe, readinessProbe, startupProbe]}
#       default: [livenessProbe, readinessProbe]
package plane.rules.probes

import data.plane.lib

about := lib.about(rego.metadata.chain())

kinds := {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"}

release_violations contains {"object": nth, "message": message, "path": container.pointer} if {
	some nth, manifest in input.manifests
	manifest.kind in kinds
	some container in lib.containers(manifest)
	container.field == "containers"
	missing := [probe | some probe in lib.setting(about, "probes"); lib.mapping(container.spec, [probe]) == {}]
	count(missing) > 0
	message := sprintf("%s has no %s", [lib.named(container), concat(" and no ", missing)])
}

release_violations contains {"object": nth, "message": message, "path": lib.at(container, ["livenessProbe"])} if {
	some nth, manifest in input.manifests
	manifest.kind in kinds
	some container in lib.containers(manifest)
	liveness := lib.mapping(container.spec, ["livenessProbe"])
	liveness != {}
	liveness == lib.mapping(container.spec, ["readinessProbe"])
	message := sprintf("%s restarts on the same probe that takes it out of traffic", [lib.named(container)])
}
