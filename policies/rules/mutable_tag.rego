# METADATA
# title: No mutable image tag
# description: Without a tag, or with latest, what runs depends on when a node pulled it; a rollback brings nothing back.
# custom:
#   id: I02
#   severity: high
#   category: images
#   remedy: Name a version (image:1.4.2) or a digest (image@sha256:…).
#   references:
#     - NSA Kubernetes Hardening, supply chain
#   parameters:
#     tags:
#       description: Tags that count as mutable.
#       type: array
#       items: {type: string}
#       default: [latest]
package plane.rules.mutable_tag

import data.plane.lib

about := lib.about(rego.metadata.chain())

mutable := lib.setting(about, "tags")

violations contains {"message": message, "path": sprintf("%s/image", [container.pointer])} if {
	some container in lib.containers(input.manifest)
	reference := lib.field(container.spec, "image", "")
	message := sprintf("%s %s", [lib.named(container), fault(reference)])
}

violations contains {"message": message, "path": volume.pointer} if {
	some volume in lib.mounted_images(input.manifest)
	message := sprintf("%s %s", [volume.who, fault(volume.reference)])
}

fault("") := "names no image"

fault(reference) := sprintf("has image %s, which is no valid image reference", [json.marshal(reference)]) if {
	reference != ""
	not lib.image(reference)
}

fault(reference) := sprintf("has image %q without a tag, which means latest", [reference]) if {
	image := lib.image(reference)
	image.digest == ""
	image.tag == ""
}

fault(reference) := sprintf("has image %q, and the tag %q may be another image tomorrow", [reference, image.tag]) if {
	image := lib.image(reference)
	image.digest == ""
	image.tag in mutable
}
