# METADATA
# title: No binding to the powerful roles or to everybody
# description: >-
#   cluster-admin and its like end every boundary; groups of the system reach people and machines nobody listed.
# custom:
#   id: B03
#   severity: critical
#   category: rbac
#   remedy: Bind a role of the app's own to a service account of the app's own.
#   references:
#     - CIS Kubernetes 5.1.1
#     - CIS Kubernetes 5.1.7
#     - NSA Kubernetes Hardening, authorization
#   parameters:
#     roles:
#       description: Cluster roles that nobody binds.
#       type: array
#       items: {type: string}
#       default: [cluster-admin, admin]
#     subjects:
#       description: Users and groups that get nothing.
#       type: array
#       items: {type: string}
#       default: ["system:masters", "system:anonymous", "system:unauthenticated", "system:authenticated", "system:serviceaccounts"]
package plane.rules.rbac_bindings

import data.plane.lib
import data.plane.lib.rbac

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": sprintf("it binds the cluster role %q", [role]), "path": "/roleRef"} if {
	some nth, manifest in input.manifests
	rbac.is_binding(manifest)
	lib.text(manifest, ["roleRef", "kind"]) == "ClusterRole"
	role := lib.text(manifest, ["roleRef", "name"])
	role in lib.setting(about, "roles")
}

release_violations contains {"object": nth, "message": message, "path": lib.pointer(["subjects", index])} if {
	some nth, manifest in input.manifests
	rbac.is_binding(manifest)
	some index, subject in lib.list(manifest, ["subjects"])
	lib.text(subject, ["kind"]) in {"User", "Group"}
	name := lib.text(subject, ["name"])
	name in lib.setting(about, "subjects")
	message := sprintf("it gives %q the role %s", [name, lib.text(manifest, ["roleRef", "name"])])
}
