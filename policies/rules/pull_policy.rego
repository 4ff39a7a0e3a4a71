# METADATA
# title: A mutable tag is not pulled on every start
# description: With Always and a tag that moves, two pods of one Deployment may run different images.
# custom:
#   id: I04
#   severity: low
#   category: images
#   remedy: Name a digest, or set imagePullPolicy to IfNotPresent.
#   references:
#     - NSA Kubernetes Hardening, supply chain
#   parameters: {}
package plane.rules.pull_policy

import data.plane.lib

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": message, "path": lib.at(container, ["imagePullPolicy"])} if {
	some nth, manifest in input.manifests
	some container in lib.containers(manifest)
	container.spec.imagePullPolicy == "Always"
	image := lib.image(container.spec.image)
	image.digest == ""
	not regex.match(`^v?[0-9]+\.[0-9]+\.[0-9]+`, image.tag)
	message := sprintf("%s pulls %q on every start, and that tag may be another image each time", [lib.named(container), container.spec.image])
}
