# METADATA
# title: No capabilities beyond the default set
# description: Capabilities such as SYS_ADMIN or NET_RAW give a container parts of root on the node or on its network.
# custom:
#   id: W05
#   severity: high
#   category: pods
#   remedy: Remove the capability from securityContext.capabilities.add.
#   references:
#     - Pod Security Standards, baseline
#     - CIS Kubernetes 5.2.8
#     - CIS Kubernetes 5.2.9
#   parameters:
#     allowed:
#       description: Capabilities that may be added.
#       type: array
#       items: {type: string}
#       default: [AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT]
package plane.rules.capabilities

import data.plane.lib

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": message, "path": lib.at(container, ["securityContext", "capabilities", "add", index])} if {
	some nth, manifest in input.manifests
	some container in lib.containers(manifest)
	some index, capability in lib.list(container.spec, ["securityContext", "capabilities", "add"])
	not capability in lib.setting(about, "allowed")
	message := sprintf("%s adds the capability %v", [lib.named(container), capability])
}
