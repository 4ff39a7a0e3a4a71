# METADATA
# title: Services are not opened past the ingress
# description: >-
#   Node ports, load balancers and external addresses reach around ingress, TLS and network policies; externalIPs let
#   a tenant take traffic meant for others (CVE-2020-8554).
# custom:
#   id: T03
#   severity: high
#   category: network
#   remedy: Use a ClusterIP Service behind an Ingress or Gateway.
#   references:
#     - CVE-2020-8554
#     - NSA Kubernetes Hardening, network separation
#   parameters:
#     types:
#       description: Types of Services that are allowed.
#       type: array
#       items: {type: string}
#       default: [ClusterIP, ExternalName]
#     annotations:
#       description: Annotation name → regular expression; a LoadBalancer that carries them all is allowed.
#       type: object
#       additionalProperties: {type: string}
#       default: {}
#     internal:
#       description: Hosts no ExternalName may point at; with *. anything below counts.
#       type: array
#       items: {type: string}
#       default: [localhost, "*.local", "*.localhost", "*.internal", "*.svc"]
package plane.rules.exposure

import data.plane.lib
import data.plane.lib.hosts

about := lib.about(rego.metadata.chain())

is_service(manifest) if lib.is_kind(manifest, "", "Service")

release_violations contains {"object": nth, "message": sprintf("the Service is of type %s", [kind]), "path": "/spec/type"} if {
	some nth, manifest in input.manifests
	is_service(manifest)
	kind := lib.field(manifest, ["spec", "type"], "ClusterIP")
	not kind in lib.setting(about, "types")
	not approved(kind, manifest)
}

approved("LoadBalancer", manifest) if {
	wanted := lib.setting(about, "annotations")
	count(wanted) > 0
	every name, pattern in wanted {
		regex.match(sprintf("^(%s)$", [pattern]), lib.text(manifest, ["metadata", "annotations", name]))
	}
}

release_violations contains {"object": nth, "message": message, "path": lib.pointer(["spec", "externalIPs", index])} if {
	some nth, manifest in input.manifests
	is_service(manifest)
	some index, address in lib.list(manifest, ["spec", "externalIPs"])
	message := sprintf("the Service takes the traffic of the address %v", [address])
}

release_violations contains {"object": nth, "message": sprintf("the Service points at %q inside", [host]), "path": "/spec/externalName"} if {
	some nth, manifest in input.manifests
	is_service(manifest)
	lib.text(manifest, ["spec", "type"]) == "ExternalName"
	host := hosts.normal(lib.text(manifest, ["spec", "externalName"]))
	inside(host)
}

inside(host) if {
	some pattern in lib.setting(about, "internal")
	hosts.within(pattern, host)
}

inside(host) if net.cidr_is_valid(sprintf("%s/32", [host]))

inside(host) if not contains(host, ".")
