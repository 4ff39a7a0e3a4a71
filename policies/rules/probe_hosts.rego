# METADATA
# title: Probes stay with their pod
# description: >-
#   The kubelet sends probes and hooks from the node; with a host of their own they reach what the pod may not.
# custom:
#   id: W12
#   severity: medium
#   category: pods
#   remedy: Remove host from the probe or hook, so that it goes to the pod.
#   references:
#     - Pod Security Standards, baseline since v1.34
#   parameters:
#     version:
#       description: Version of the Pod Security Standards; before v1.34 they did not ask.
#       type: string
#       default: latest
package plane.rules.probe_hosts

import data.plane.lib
import data.plane.lib.security

about := lib.about(rego.metadata.chain())

callers := [
	["livenessProbe"],
	["readinessProbe"],
	["startupProbe"],
	["lifecycle", "postStart"],
	["lifecycle", "preStop"],
]

release_violations contains {"object": nth, "message": message, "path": lib.at(container, path)} if {
	some nth, manifest in input.manifests
	security.minor(about) >= 34
	some container in lib.containers(manifest)
	some caller in callers
	some action in ["httpGet", "tcpSocket"]
	path := array.concat(caller, [action, "host"])
	host := lib.text(container.spec, path)
	host != ""
	message := sprintf("%s calls the host %q in its %s", [lib.named(container), host, caller[count(caller) - 1]])
}
