# METADATA
# title: Images come from allowed registries
# description: >-
#   An image runs with the rights of its pod, so who may put one there decides who may run code. Registry and
#   repository are compared after parsing, never as a prefix of text. Without a list the rule says nothing.
# custom:
#   id: I01
#   severity: high
#   category: images
#   remedy: Use an image from an allowed registry, or ask the platform team to allow this one.
#   references:
#     - CIS Kubernetes 5.5.1
#     - NSA Kubernetes Hardening, supply chain
#   parameters:
#     registries:
#       description: >-
#         Globs over registry/repository: * stops at a slash, ** does not; a registry alone allows everything in it.
#         Images without a registry are in docker.io/library.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.registries

import data.plane.lib

about := lib.about(rego.metadata.chain())

allowed := lib.setting(about, "registries")

violations contains {"message": message, "path": sprintf("%s/image", [container.pointer])} if {
	count(allowed) > 0
	some container in lib.containers(input.manifest)
	reference := lib.field(container.spec, "image", "")
	not permitted(reference)
	message := sprintf("%s has image %s, which is not from an allowed registry (%s)", [
		lib.named(container),
		json.marshal(reference),
		concat(", ", allowed),
	])
}

violations contains {"message": message, "path": volume.pointer} if {
	count(allowed) > 0
	some volume in lib.mounted_images(input.manifest)
	not permitted(volume.reference)
	message := sprintf("%s has image %s, which is not from an allowed registry (%s)", [
		volume.who,
		json.marshal(volume.reference),
		concat(", ", allowed),
	])
}

permitted(reference) if {
	image := lib.image(reference)
	full := sprintf("%s/%s", [image.registry, image.repository])
	some pattern in allowed
	glob.match(whole(pattern), ["/"], full)
}

whole(pattern) := sprintf("%s/**", [pattern]) if {
	not contains(pattern, "/")
} else := pattern
