# METADATA
# title: Library
# description: What rules need to read workloads and images; any rule may import data.plane.lib.
package plane.lib

# Wherever a kind keeps its pod: Pod; Deployment, StatefulSet, DaemonSet, Job and custom kinds like them; CronJob; PodTemplate.
pod_places := [
	{"path": ["spec"], "pointer": "/spec", "metadata": ["metadata"]},
	{
		"path": ["spec", "template", "spec"],
		"pointer": "/spec/template/spec",
		"metadata": ["spec", "template", "metadata"],
	},
	{
		"path": ["spec", "jobTemplate", "spec", "template", "spec"],
		"pointer": "/spec/jobTemplate/spec/template/spec",
		"metadata": ["spec", "jobTemplate", "spec", "template", "metadata"],
	},
	{"path": ["template", "spec"], "pointer": "/template/spec", "metadata": ["template", "metadata"]},
]

container_fields := ["containers", "initContainers", "ephemeralContainers"]

# The pods of an object: {"spec", "path", "pointer", "metadata"}; the metadata is the template's, or the Pod's own.
pods(manifest) := {pod |
	some place in pod_places
	spec := object.get(manifest, place.path, null)
	is_object(spec)
	has_containers(spec)
	pod := {"spec": spec, "path": place.path, "pointer": place.pointer, "metadata": mapping(manifest, place.metadata)}
}

has_containers(spec) if {
	some field in container_fields
	is_array(object.get(spec, field, null))
}

# The containers of an object: {"spec", "name", "field", "pod", "pointer"}; the pointer leads to the container.
containers(manifest) := {entry |
	some pod in pods(manifest)
	some field in container_fields
	some index, spec in list(pod.spec, [field])
	is_object(spec)
	entry := {
		"spec": spec,
		"name": object.get(spec, "name", sprintf("number %d", [index + 1])),
		"field": field,
		"pod": pod.spec,
		"pointer": sprintf("%s/%s/%d", [pod.pointer, field, index]),
	}
}

# Images that pods mount: {"who", "reference", "pointer"}.
mounted_images(manifest) := {entry |
	some pod in pods(manifest)
	some index, volume in list(pod.spec, ["volumes"])
	reference := field(volume, ["image", "reference"], "")
	reference != ""
	entry := {
		"who": sprintf("volume %q", [text(volume, ["name"])]),
		"reference": reference,
		"pointer": sprintf("%s/volumes/%d/image/reference", [pod.pointer, index]),
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

# What a rule was told by the binding, or the default that its METADATA names.
setting(about, name) := object.get(input, ["parameters", about.id, name], about.parameters[name]["default"])

# The same with the default beside it.
parameter(id, name, otherwise) := object.get(input, ["parameters", id, name], otherwise)

# What stands at a path, or otherwise; also when the value is no mapping at all.
field(value, path, otherwise) := object.get(value, path, otherwise) if {
	is_object(value)
} else := otherwise

# The mapping at a path; empty when there is none or something else stands there.
mapping(value, path) := found if {
	is_object(value)
	found := object.get(value, path, null)
	is_object(found)
} else := {}

# The list at a path; empty when there is none or something else stands there.
list(value, path) := found if {
	is_object(value)
	found := object.get(value, path, null)
	is_array(found)
} else := []

# The text at a path; empty when there is none or something else stands there.
text(value, path) := found if {
	is_object(value)
	found := object.get(value, path, null)
	is_string(found)
} else := ""

# The API group of an object; the core group is empty.
group(manifest) := parts[0] if {
	parts := split(text(manifest, ["apiVersion"]), "/")
	count(parts) == 2
} else := ""

# Whether an object is of a kind, whatever its version.
is_kind(manifest, wanted_group, kind) if {
	manifest.kind == kind
	group(manifest) == wanted_group
}

name(manifest) := text(manifest, ["metadata", "name"])

# The namespace an object lands in: its own, or the app's.
namespace(manifest) := found if {
	found := text(manifest, ["metadata", "namespace"])
	found != ""
} else := text(input, ["context", "namespace"])

labels(manifest) := mapping(manifest, ["metadata", "labels"])

annotations(manifest) := mapping(manifest, ["metadata", "annotations"])

# The pointer to a container's field.
at(container, path) := concat("", [container.pointer, pointer(path)])

either("", otherwise) := otherwise

either(word, _) := word if word != ""

# "a", "b"
quoted(values) := concat(", ", [sprintf("%q", [value]) | some value in values])

# Whether some glob matches the text; * matches any characters.
any_glob(patterns, value) if {
	some pattern in patterns
	glob.match(pattern, null, value)
}

# Who an object is: group, kind, namespace, name.
identity(manifest) := [group(manifest), manifest.kind, place(manifest), name(manifest)]

place(manifest) := "" if {
	is_cluster_wide(manifest)
} else := namespace(manifest)

# An identity of inventory or changes as violations name objects.
written(key) := sprintf("%s %s", [kind, where]) if {
	kind := qualified(text(key, ["group"]), text(key, ["kind"]))
	where := trim_prefix(sprintf("%s/%s", [text(key, ["namespace"]), text(key, ["name"])]), "/")
}

qualified("", kind) := kind

qualified(group, kind) := sprintf("%s/%s", [group, kind]) if group != ""

# Whether a kind lives outside namespaces: as the cluster says, as a CRD of the release says, or as Kubernetes has it.
is_cluster_wide(manifest) if [group(manifest), manifest.kind] in wide_kinds

is_cluster_wide(manifest) if {
	served := input.cluster.kinds[qualified_kind(manifest)]
	served.namespaced == false
}

is_cluster_wide(manifest) if [group(manifest), manifest.kind] in defined_wide

# Kinds that the release itself brings.
defined_wide := {[text(manifest, ["spec", "group"]), text(manifest, ["spec", "names", "kind"])] |
	some manifest in input.manifests
	is_kind(manifest, "apiextensions.k8s.io", "CustomResourceDefinition")
	text(manifest, ["spec", "scope"]) == "Cluster"
}

# group/Kind; the core group is empty, as in /Pod.
qualified_kind(manifest) := sprintf("%s/%v", [group(manifest), object.get(manifest, "kind", "")])

wide_kinds := {
	["", "Namespace"],
	["", "Node"],
	["", "PersistentVolume"],
	["admissionregistration.k8s.io", "MutatingAdmissionPolicy"],
	["admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"],
	["admissionregistration.k8s.io", "MutatingWebhookConfiguration"],
	["admissionregistration.k8s.io", "ValidatingAdmissionPolicy"],
	["admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"],
	["admissionregistration.k8s.io", "ValidatingWebhookConfiguration"],
	["apiextensions.k8s.io", "CustomResourceDefinition"],
	["apiregistration.k8s.io", "APIService"],
	["certificates.k8s.io", "CertificateSigningRequest"],
	["flowcontrol.apiserver.k8s.io", "FlowSchema"],
	["flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"],
	["gateway.networking.k8s.io", "GatewayClass"],
	["networking.k8s.io", "IngressClass"],
	["networking.k8s.io", "IPAddress"],
	["networking.k8s.io", "ServiceCIDR"],
	["node.k8s.io", "RuntimeClass"],
	["rbac.authorization.k8s.io", "ClusterRole"],
	["rbac.authorization.k8s.io", "ClusterRoleBinding"],
	["resource.k8s.io", "DeviceClass"],
	["resource.k8s.io", "ResourceSlice"],
	["scheduling.k8s.io", "PriorityClass"],
	["storage.k8s.io", "CSIDriver"],
	["storage.k8s.io", "CSINode"],
	["storage.k8s.io", "StorageClass"],
	["storage.k8s.io", "VolumeAttachment"],
	["storage.k8s.io", "VolumeAttributesClass"],
}
