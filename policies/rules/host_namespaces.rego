# METADATA
# title: No namespaces of the node
# description: With the node's network, processes or IPC a container sees and reaches what other tenants run there.
# custom:
#   id: W02
#   severity: critical
#   category: pods
#   remedy: Remove hostNetwork, hostPID and hostIPC; publish ports with a Service.
#   references:
#     - Pod Security Standards, baseline
#     - CIS Kubernetes 5.2.3
#     - CIS Kubernetes 5.2.4
#     - CIS Kubernetes 5.2.5
#     - NSA Kubernetes Hardening, pod security
#   parameters: {}
package plane.rules.host_namespaces

import data.plane.lib

about := lib.about(rego.metadata.chain())

fields := ["hostNetwork", "hostPID", "hostIPC"]

release_violations contains {"object": nth, "message": sprintf("the pod sets %s to true", [field]), "path": lib.pointer(array.concat(pod.path, [field]))} if {
	some nth, manifest in input.manifests
	some pod in lib.pods(manifest)
	some field in fields
	lib.field(pod.spec, field, false) == true
}
