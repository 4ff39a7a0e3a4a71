# METADATA
# title: Only volumes that need no rights on the node
# description: >-
#   Volumes of networks and disks named in a pod go past the storage classes, quotas and rights of the cluster.
# custom:
#   id: W11
#   severity: medium
#   category: pods
#   remedy: Use a PersistentVolumeClaim, a CSI volume, or one of the allowed types.
#   references:
#     - Pod Security Standards, restricted
#   parameters:
#     allowed:
#       description: Volume types that may be used.
#       type: array
#       items: {type: string}
#       default: [configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected, secret]
package plane.rules.volume_types

import data.plane.lib

about := lib.about(rego.metadata.chain())

allowed := lib.setting(about, "allowed")

# A volume without a type is an emptyDir to the API server.
release_violations contains {"object": nth, "message": message, "path": lib.pointer(array.concat(pod.path, ["volumes", index]))} if {
	some nth, manifest in input.manifests
	some pod in lib.pods(manifest)
	some index, volume in lib.list(pod.spec, ["volumes"])
	is_object(volume)
	types := {field | some field, value in volume; field != "name"; value != null}
	count(types) > 0
	count({field | some field in types; field in allowed}) == 0
	message := sprintf("volume %q is of type %s", [lib.text(volume, ["name"]), concat(" and ", types)])
}
