# METADATA
# title: No default service account
# description: What is granted to the default account is granted to every pod of the namespace.
# custom:
#   id: W15
#   severity: low
#   category: pods
#   remedy: Name a ServiceAccount of the app's own in serviceAccountName.
#   references:
#     - CIS Kubernetes 5.1.5
#   parameters: {}
package plane.rules.default_account

import data.plane.lib
import data.plane.lib.security

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": message, "path": lib.pointer(array.concat(pod.path, ["serviceAccountName"]))} if {
	some nth, manifest in input.manifests
	some pod in lib.pods(manifest)
	security.account(pod.spec) == "default"
	lib.field(pod.spec, "automountServiceAccountToken", null) != false
	message := "the pod runs as the namespace's default service account"
}
