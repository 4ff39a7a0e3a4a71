# METADATA
# title: Library
# description: What rules need to read workloads and images; any rule may import data.plane.lib.
package plane.lib

# Wherever a kind keeps its pod: Pod; Deployment, StatefulSet, DaemonSet, Job and custom kinds like them; CronJob; PodTemplate.
pod_paths := [
	["spec"],
	["spec", "template", "spec"],
	["spec", "jobTemplate", "spec", "template", "spec"],
	["template", "spec"],
]

container_fields := ["containers", "initContainers", "ephemeralContainers"]

# The pods of an object: {"spec", "path"}.
pods(manifest) := {{"spec": spec, "path": path} |
	some path in pod_paths
	spec := object.get(manifest, path, null)
	is_object(spec)
	some field in container_fields
	is_array(object.get(spec, field, null))
}

# The containers of an object: {"spec", "name", "field", "pod", "pointer"}; the pointer leads to the container.
containers(manifest) := {entry |
	some pod in pods(manifest)
	some field in container_fields
	some index, spec in object.get(pod.spec, field, [])
	entry := {
		"spec": spec,
		"name": object.get(spec, "name", sprintf("number %d", [index + 1])),
		"field": field,
		"pod": pod.spec,
		"pointer": pointer(array.concat(pod.path, [field, index])),
	}
}

# How a sentence names a container.
named(container) := sprintf("%s %q", [words[container.field], container.name])

words := {
	"containers": "container",
	"initContainers": "init container",
	"ephemeralContainers": "ephemeral container",
}

# A JSON pointer (RFC 6901).
pointer(path) := concat("", [sprintf("/%s", [escaped]) |
	some part in path
	escaped := replace(replace(sprintf("%v", [part]), "~", "~0"), "/", "~1")
])

# An image reference in its parts, as container runtimes read it; undefined when it is none. tag and digest may be empty.
image(reference) := {"registry": registry, "repository": repository, "tag": tag, "digest": digest} if {
	is_string(reference)
	regex.match(`^[a-zA-Z0-9][a-zA-Z0-9._/-]*(:[0-9]+/[a-zA-Z0-9._/-]+)?(:[a-zA-Z0-9_][a-zA-Z0-9._-]*)?(@[a-z0-9.+_-]+:[0-9a-fA-F]{32,})?$`, reference)
	not contains(reference, "..")
	not contains(reference, "//")
	parts := split(reference, "@")
	digest := concat("@", array.slice(parts, 1, count(parts)))
	segments := split(parts[0], "/")
	host := image_host(segments)
	path := array.slice(segments, host.used, count(segments))
	last := split(path[count(path) - 1], ":")
	tag := concat(":", array.slice(last, 1, count(last)))
	bare := concat("/", array.concat(array.slice(path, 0, count(path) - 1), [last[0]]))
	registry := host.registry
	repository := image_repository(registry, bare)
}

image_host(segments) := {"registry": "docker.io", "used": 1} if {
	count(segments) > 1
	segments[0] in {"docker.io", "index.docker.io"}
} else := {"registry": lower(segments[0]), "used": 1} if {
	count(segments) > 1
	regex.match(`[.:]|^localhost$|[A-Z]`, segments[0])
} else := {"registry": "docker.io", "used": 0}

image_repository("docker.io", bare) := sprintf("library/%s", [bare]) if {
	not contains(bare, "/")
} else := bare

image_repository(registry, bare) := bare if registry != "docker.io"

# What a rule package publishes as `about`: its METADATA, from the chain of any rule in it.
about(chain) := object.get(annotations, "custom", {}) if {
	some entry in chain
	annotations := object.get(entry, "annotations", {})
	annotations.scope == "package"
}

# A rule's parameter from the binding, or its default.
parameter(id, name, otherwise) := object.get(input, ["parameters", id, name], otherwise)
