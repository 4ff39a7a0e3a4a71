# METADATA
# title: No service account token without need
# description: The token lies in every container of the pod and speaks to the API server for whoever reads it.
# custom:
#   id: W14
#   severity: medium
#   category: pods
#   remedy: Set automountServiceAccountToken to false; a program that does call the API server says so with true.
#   references:
#     - CIS Kubernetes 5.1.6
#     - NSA Kubernetes Hardening, pod security
#   parameters: {}
package plane.rules.token_mounted

import data.plane.lib
import data.plane.lib.security

about := lib.about(rego.metadata.chain())

# ServiceAccounts of the release that say it for all their pods.
silent := {[lib.namespace(other), lib.name(other)] |
	some other in input.manifests
	other.kind == "ServiceAccount"
	lib.field(other, "automountServiceAccountToken", null) == false
}

release_violations contains {"message": message, "object": index, "path": pointer} if {
	some index, manifest in input.manifests
	some pod in lib.pods(manifest)
	lib.field(pod.spec, "automountServiceAccountToken", null) == null
	not [lib.namespace(manifest), security.account(pod.spec)] in silent
	message := "the pod gets a service account token and does not say that it needs one"
	pointer := lib.pointer(array.concat(pod.path, ["automountServiceAccountToken"]))
}
