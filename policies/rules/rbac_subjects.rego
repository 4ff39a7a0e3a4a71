# METADATA
# title: Rights stay in the project
# description: A service account of another namespace is run by whoever may start pods there.
# custom:
#   id: B04
#   severity: high
#   category: rbac
#   remedy: Bind service accounts of the project's namespaces only.
#   references:
#     - CIS Kubernetes 5.7.1
#   parameters:
#     namespaces:
#       description: Globs of namespaces whose service accounts may be bound; the project's when not given.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.rbac_subjects

import data.plane.lib
import data.plane.lib.rbac

about := lib.about(rego.metadata.chain())

allowed := lib.setting(about, "namespaces") if {
	count(lib.setting(about, "namespaces")) > 0
} else := input.project.namespaces

release_violations contains {"object": nth, "message": message, "path": lib.pointer(["subjects", index, "namespace"])} if {
	some nth, manifest in input.manifests
	rbac.is_binding(manifest)
	some index, subject in lib.list(manifest, ["subjects"])
	lib.text(subject, ["kind"]) == "ServiceAccount"
	namespace := lib.text(subject, ["namespace"])
	not lib.any_glob(allowed, namespace)
	message := sprintf("the service account %s of the namespace %q is not the project's", [lib.text(subject, ["name"]), namespace])
}

release_violations contains {"object": nth, "message": message, "path": lib.pointer(["subjects", index, "name"])} if {
	some nth, manifest in input.manifests
	rbac.is_binding(manifest)
	some index, subject in lib.list(manifest, ["subjects"])
	lib.text(subject, ["kind"]) == "Group"
	name := lib.text(subject, ["name"])
	startswith(name, "system:serviceaccounts:")
	not lib.any_glob(allowed, substring(name, count("system:serviceaccounts:"), -1))
	message := sprintf("the service accounts %q are not the project's", [name])
}

# A service account by the name of its user.
release_violations contains {"object": nth, "message": message, "path": lib.pointer(["subjects", index, "name"])} if {
	some nth, manifest in input.manifests
	rbac.is_binding(manifest)
	some index, subject in lib.list(manifest, ["subjects"])
	lib.text(subject, ["kind"]) == "User"
	["system", "serviceaccount", namespace, name] = split(lib.text(subject, ["name"]), ":")
	not lib.any_glob(allowed, namespace)
	message := sprintf("the service account %s of the namespace %q is not the project's", [name, namespace])
}
