# METADATA
# title: Ingresses speak TLS
# description: Without TLS, passwords and cookies cross every network in the clear.
# custom:
#   id: T04
#   severity: medium
#   category: network
#   remedy: Add the host to spec.tls with a secret that holds its certificate.
#   references:
#     - NSA Kubernetes Hardening, network separation
#   parameters: {}
package plane.rules.tls

import data.plane.lib
import data.plane.lib.hosts

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": sprintf("the host %q is served without TLS", [route.host]), "path": route.pointer} if {
	some nth, manifest in input.manifests
	lib.is_kind(manifest, "networking.k8s.io", "Ingress")
	some route in hosts.of(manifest)
	not encrypted(manifest, route.host)
}

# An entry without hosts counts for all.
encrypted(manifest, host) if {
	some entry in lib.list(manifest, ["spec", "tls"])
	names := lib.list(entry, ["hosts"])
	serves(names, host)
}

serves([], _)

serves(names, host) if {
	some name in names
	is_string(name)
	hosts.within(name, host)
}

release_violations contains {"object": nth, "message": message, "path": lib.pointer(["spec", "listeners", index, "protocol"])} if {
	some nth, manifest in input.manifests
	lib.is_kind(manifest, "gateway.networking.k8s.io", "Gateway")
	some index, listener in lib.list(manifest, ["spec", "listeners"])
	lib.text(listener, ["protocol"]) in {"HTTP", "TCP"}
	message := sprintf("listener %q is served without TLS", [lib.text(listener, ["name"])])
}
