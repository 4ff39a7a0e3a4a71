# METADATA
# title: No folders of the node
# description: >-
#   A hostPath volume reads or writes the node's own files; the socket of the container runtime is root on the node.
# custom:
#   id: W03
#   severity: critical
#   category: pods
#   remedy: Use a PersistentVolumeClaim, an emptyDir, or a CSI volume.
#   references:
#     - Pod Security Standards, baseline
#     - CIS Kubernetes 5.2.12
#     - NSA Kubernetes Hardening, pod security
#   parameters:
#     allowed:
#       description: Folders that may be mounted, with all below them; readOnly asks that every container mounts them read-only.
#       type: array
#       items:
#         type: object
#         properties: {path: {type: string}, readOnly: {type: boolean}}
#         required: [path]
#       default: []
package plane.rules.host_path

import data.plane.lib

about := lib.about(rego.metadata.chain())

allowed := lib.setting(about, "allowed")

sockets := {"docker.sock", "containerd.sock", "crio.sock", "dockershim.sock", "podman.sock", "buildkitd.sock"}

release_violations contains {"object": nth, "message": message, "path": pointer} if {
	some nth, manifest in input.manifests
	some pod in lib.pods(manifest)
	some index, volume in lib.list(pod.spec, ["volumes"])
	lib.field(volume, "hostPath", null) != null
	host_path := lib.text(volume, ["hostPath", "path"])
	not permitted(pod.spec, volume, host_path)
	message := sprintf("volume %q mounts %q of the node%s", [lib.text(volume, ["name"]), host_path, hint(host_path)])
	pointer := lib.pointer(array.concat(pod.path, ["volumes", index, "hostPath"]))
}

permitted(pod, volume, host_path) if {
	some entry in allowed
	below(entry.path, host_path)
	readable(entry, pod, lib.text(volume, ["name"]))
}

# Segment by segment: /var/log does not allow /var/logs, and nothing climbs out by two dots.
below(folder, host_path) if {
	wanted := segments(folder)
	given := segments(host_path)
	not ".." in given
	array.slice(given, 0, count(wanted)) == wanted
}

segments(path) := [segment | some segment in split(path, "/"); not segment in {"", "."}]

readable(entry, _, _) if lib.field(entry, "readOnly", false) == false

readable(entry, pod, name) if {
	entry.readOnly == true
	every mount in mounts(pod, name) {
		lib.field(mount, "readOnly", false) == true
	}
}

mounts(pod, name) := [mount |
	some field in lib.container_fields
	some container in lib.list(pod, [field])
	some mount in lib.list(container, ["volumeMounts"])
	lib.field(mount, "name", "") == name
]

hint(host_path) := ", the socket of a container runtime, which is root on the node" if {
	last := segments(host_path)
	last[count(last) - 1] in sockets
} else := ""
