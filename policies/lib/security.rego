# METADATA
# title: Security contexts
# description: >-
#   What the Pod Security Standards look at. Each function reads the typed value as the admission controller does: null is
#   unset, and the version under which a rule is asked decides what counts.
package plane.lib.security

import data.plane.lib
import data.plane.lib.versions

# The minor under which a rule is asked; what upstream does not know yet is what it knows last.
minor(about) := versions.minor(lib.setting(about, "version"))

# A field of a security context, of the pod or of a container; null when it is unset.
context(spec, path) := object.get(lib.mapping(spec, ["securityContext"]), path, null)

# Where a pod's and its containers' security contexts set a field: {"who", "pod", "value", "pointer"}.
contexts(manifest, path) := {setter |
	some pod in lib.pods(manifest)
	value := context(pod.spec, path)
	value != null
	setter := {
		"who": "the pod",
		"pod": pod.spec,
		"value": value,
		"pointer": sprintf("%s/securityContext%s", [pod.pointer, lib.pointer(path)]),
	}
} | {setter |
	some container in lib.containers(manifest)
	value := context(container.spec, path)
	value != null
	setter := {
		"who": lib.named(container),
		"pod": container.pod,
		"value": value,
		"pointer": lib.at(container, array.concat(["securityContext"], path)),
	}
}

# Whether pods of Windows are left out: they cannot set what the rule asks for.
is_windows(pod) if lib.field(pod, ["os", "name"], "") == "windows"

# Whether root inside is nobody outside.
own_users(pod) if object.get(pod, "hostUsers", null) == false

# The name of a bad profile type.
profile(value) := lib.text(value, ["type"]) if is_object(value)

# The service account of a pod; the older name of the field counts too.
account(pod) := name if {
	name := lib.text(pod, ["serviceAccountName"])
	name != ""
} else := name if {
	name := lib.text(pod, ["serviceAccount"])
	name != ""
} else := "default"
