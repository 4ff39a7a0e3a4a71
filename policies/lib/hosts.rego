# METADATA
# title: Hosts
# description: Host names of Ingress and Gateway API, compared label by label.
package plane.lib.hosts

import data.plane.lib

# Whom an object answers for: {"host", "pointer"}; an empty host means all of them.
of(manifest) := found if {
	lib.is_kind(manifest, "networking.k8s.io", "Ingress")
	found := {{"host": normal(lib.text(rule, ["host"])), "pointer": sprintf("/spec/rules/%d/host", [index])} |
		some index, rule in lib.list(manifest, ["spec", "rules"])
	} | {{"host": "", "pointer": "/spec/defaultBackend"} |
		lib.mapping(manifest, ["spec", "defaultBackend"]) != {}
	}
} else := found if {
	lib.is_kind(manifest, "gateway.networking.k8s.io", "Gateway")
	found := {{"host": normal(lib.text(listener, ["hostname"])), "pointer": sprintf("/spec/listeners/%d/hostname", [index])} |
		some index, listener in lib.list(manifest, ["spec", "listeners"])
	}
} else := found if {
	manifest.kind in {"HTTPRoute", "GRPCRoute", "TLSRoute"}
	lib.group(manifest) == "gateway.networking.k8s.io"
	count(lib.list(manifest, ["spec", "hostnames"])) > 0
	found := {{"host": normal(host), "pointer": sprintf("/spec/hostnames/%d", [index])} |
		some index, host in lib.list(manifest, ["spec", "hostnames"])
		is_string(host)
	}
} # a route without hosts takes its Gateway's

else := set()

# Lower case, no final dot.
normal(host) := trim_suffix(lower(host), ".")

# Whether two hosts can receive the same request. A wildcard stands for one label or more, as Gateway API reads it.
overlap(one, other) if "" in {one, other}

overlap(one, other) if one == other

overlap(one, other) if covers(one, other)

overlap(one, other) if covers(other, one)

# Whether a wildcard covers a host or a longer wildcard.
covers(wildcard, host) if {
	startswith(wildcard, "*.")
	endswith(host, substring(wildcard, 1, -1))
}

# Whether a host belongs to a pattern of an allow-list: itself, or with *. anything below.
within(pattern, host) if normal(pattern) == host

within(pattern, host) if {
	host != ""
	covers(normal(pattern), host)
}
