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

violations contains {"message": sprintf("the host %q is served without TLS", [route.host]), "path": route.pointer} if {
	lib.is_kind(input.manifest, "networking.k8s.io", "Ingress")
	some route in hosts.of(input.manifest)
	not encrypted(route.host)
}

# An entry without hosts counts for all.
encrypted(host) if {
	some entry in lib.list(input.manifest, ["spec", "tls"])
	names := lib.list(entry, ["hosts"])
	serves(names, host)
}

serves([], _)

serves(names, host) if {
	some name in names
	is_string(name)
	hosts.within(name, host)
}

violations contains {"message": message, "path": lib.pointer(["spec", "listeners", index, "protocol"])} if {
	lib.is_kind(input.manifest, "gateway.networking.k8s.io", "Gateway")
	some index, listener in lib.list(input.manifest, ["spec", "listeners"])
	lib.text(listener, ["protocol"]) in {"HTTP", "TCP"}
	message := sprintf("listener %q is served without TLS", [lib.text(listener, ["name"])])
}
