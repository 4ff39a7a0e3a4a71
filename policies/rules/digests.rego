# METADATA
# title: Images are named by digest
# description: A tag can be moved to another image; a digest is the image.
# custom:
#   id: I03
#   severity: medium
#   category: images
#   remedy: Write image@sha256:…, as `docker buildx imagetools inspect` or your registry shows it.
#   references:
#     - NSA Kubernetes Hardening, supply chain
#   parameters:
#     environments:
#       description: Environments (the cluster's label environment, or env) where the rule holds; none means everywhere.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.digests

import data.plane.lib

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": message, "path": sprintf("%s/image", [container.pointer])} if {
	some nth, manifest in input.manifests
	holds_here
	some container in lib.containers(manifest)
	image := lib.image(container.spec.image)
	image.digest == ""
	message := sprintf("%s has image %q without a digest", [lib.named(container), container.spec.image])
}

release_violations contains {"object": nth, "message": message, "path": volume.pointer} if {
	some nth, manifest in input.manifests
	holds_here
	some volume in lib.mounted_images(manifest)
	lib.image(volume.reference).digest == ""
	message := sprintf("%s has image %q without a digest", [volume.who, volume.reference])
}

holds_here if count(lib.setting(about, "environments")) == 0

holds_here if lib.text(input, ["context", "clusterLabels", "environment"]) in lib.setting(about, "environments")

holds_here if lib.text(input, ["context", "environment"]) in lib.setting(about, "environments")
