# METADATA
# title: The kernel's guards stay on
# description: >-
#   AppArmor, SELinux, the masks over /proc, unsafe sysctls and Windows' host processes decide how far a container is
#   from the node.
# custom:
#   id: W10
#   severity: high
#   category: pods
#   remedy: Remove the field, or set it to a value that the Pod Security Standards allow.
#   references:
#     - Pod Security Standards, baseline
#     - CIS Kubernetes 5.2.11
#   parameters:
#     version:
#       description: Version of the Pod Security Standards, which decides about sysctls, SELinux types and procMount.
#       type: string
#       default: latest
#     level:
#       description: With restricted, pods with users of their own may not unmask /proc either.
#       type: string
#       enum: [baseline, restricted]
#       default: baseline
#     sysctls:
#       description: Sysctls that are allowed beyond the safe ones.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.kernel_options

import data.plane.lib
import data.plane.lib.security

about := lib.about(rego.metadata.chain())

apparmor_prefix := "container.apparmor.security.beta.kubernetes.io/"

# By the minor that allowed them first.
sysctls := {
	"kernel.shm_rmid_forced": 0,
	"net.ipv4.ip_local_port_range": 0,
	"net.ipv4.tcp_syncookies": 0,
	"net.ipv4.ping_group_range": 0,
	"net.ipv4.ip_unprivileged_port_start": 0,
	"net.ipv4.ip_local_reserved_ports": 27,
	"net.ipv4.tcp_keepalive_time": 29,
	"net.ipv4.tcp_fin_timeout": 29,
	"net.ipv4.tcp_keepalive_intvl": 29,
	"net.ipv4.tcp_keepalive_probes": 29,
	"net.ipv4.tcp_rmem": 32,
	"net.ipv4.tcp_wmem": 32,
}

selinux_types := {"": 0, "container_t": 0, "container_init_t": 0, "container_kvm_t": 0, "container_engine_t": 31}

release_violations contains {"object": nth, "message": sprintf("%s sets the AppArmor profile %q", [setter.who, kind]), "path": sprintf("%s/type", [setter.pointer])} if {
	some nth, manifest in input.manifests
	some setter in security.contexts(manifest, ["appArmorProfile"])
	kind := security.profile(setter.value)
	not kind in {"RuntimeDefault", "Localhost"}
}

release_violations contains {"object": nth, "message": message, "path": lib.pointer(array.concat(owner, ["metadata", "annotations", name]))} if {
	some nth, manifest in input.manifests
	some pod in lib.pods(manifest)
	some name, value in lib.mapping(pod.metadata, ["annotations"])
	startswith(name, apparmor_prefix)
	is_string(value)
	not value in {"", "runtime/default"}
	not startswith(value, "localhost/")
	message := sprintf("the annotation %q sets the AppArmor profile %q", [name, value])
	owner := array.slice(pod.path, 0, count(pod.path) - 1)
}

release_violations contains {"object": nth, "message": message, "path": sprintf("%s/%s", [setter.pointer, field])} if {
	some nth, manifest in input.manifests
	some setter in security.contexts(manifest, ["seLinuxOptions"])
	some field in ["user", "role"]
	value := lib.text(setter.value, [field])
	value != ""
	message := sprintf("%s sets the SELinux %s %q", [setter.who, field, value])
}

release_violations contains {"object": nth, "message": sprintf("%s sets the SELinux type %q", [setter.who, value]), "path": sprintf("%s/type", [setter.pointer])} if {
	some nth, manifest in input.manifests
	some setter in security.contexts(manifest, ["seLinuxOptions"])
	value := lib.text(setter.value, ["type"])
	not known(selinux_types, value)
}

release_violations contains {"object": nth, "message": sprintf("%s sets procMount to %v", [setter.who, setter.value]), "path": setter.pointer} if {
	some nth, manifest in input.manifests
	some setter in security.contexts(manifest, ["procMount"])
	setter.who != "the pod"
	setter.value != "Default"
	not may_unmask(setter.pod)
}

release_violations contains {"object": nth, "message": message, "path": lib.pointer(array.concat(pod.path, ["securityContext", "sysctls", index]))} if {
	some nth, manifest in input.manifests
	some pod in lib.pods(manifest)
	some index, sysctl in lib.list(pod.spec, ["securityContext", "sysctls"])
	name := lib.text(sysctl, ["name"])
	not known(sysctls, name)
	not name in lib.setting(about, "sysctls")
	message := sprintf("the pod sets the sysctl %q", [name])
}

release_violations contains {"object": nth, "message": sprintf("%s is a host process of Windows", [setter.who]), "path": setter.pointer} if {
	some nth, manifest in input.manifests
	some setter in security.contexts(manifest, ["windowsOptions", "hostProcess"])
	setter.value == true
}

known(since, name) if since[name] <= security.minor(about)

may_unmask(pod) if {
	security.own_users(pod)
	security.minor(about) >= 35
	lib.setting(about, "level") == "baseline"
}
