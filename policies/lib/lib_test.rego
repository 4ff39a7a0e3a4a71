package plane.lib_test

import data.plane.lib

pod := {"containers": [{"name": "main", "image": "app:1"}], "initContainers": [{"image": "init:1"}], "ephemeralContainers": [{"name": "debug"}]}

fields(manifest) := {container.field | some container in lib.containers(manifest)}

all := {"containers", "initContainers", "ephemeralContainers"}

test_containers_of_every_workload_kind if {
	every manifest in [
		{"kind": "Pod", "spec": pod},
		{"kind": "Deployment", "spec": {"template": {"spec": pod}}},
		{"kind": "Rollout", "spec": {"template": {"spec": pod}}},
		{"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}},
		{"kind": "PodTemplate", "template": {"spec": pod}},
	] {
		fields(manifest) == all
	}
}

test_no_containers_elsewhere if {
	every manifest in [
		{"kind": "ConfigMap"},
		{"kind": "Service", "spec": {"ports": []}},
		{"kind": "Odd", "spec": "text"},
		{"kind": "Odd", "spec": null},
		{"kind": "Odd", "spec": {"containers": "text"}},
		{"kind": "Odd", "spec": {"containers": null}},
	] {
		count(lib.containers(manifest)) == 0
	}
}

test_a_pointer_leads_to_the_container if {
	pointers := {container.pointer | some container in lib.containers({"spec": {"template": {"spec": pod}}})}
	"/spec/template/spec/initContainers/0" in pointers
}

test_a_container_without_a_name_is_named_by_its_number if {
	"init container \"number 1\"" in {lib.named(container) | some container in lib.containers({"spec": pod})}
}

test_pointers_are_escaped if lib.pointer(["metadata", "labels", "a/b~c", 0]) == "/metadata/labels/a~1b~0c/0"

images := {
	"nginx": ["docker.io", "library/nginx", "", ""],
	"nginx:1.27": ["docker.io", "library/nginx", "1.27", ""],
	"acme/web:1": ["docker.io", "acme/web", "1", ""],
	"docker.io/nginx": ["docker.io", "library/nginx", "", ""],
	"index.docker.io/acme/web": ["docker.io", "acme/web", "", ""],
	"localhost/web:1": ["localhost", "web", "1", ""],
	"registry.example:5000/app": ["registry.example:5000", "app", "", ""],
	"registry.example:5000/team/app:v1": ["registry.example:5000", "team/app", "v1", ""],
	"Registry.example/app": ["registry.example", "app", "", ""],
	"ghcr.io/acme/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef": [
		"ghcr.io", "acme/web", "",
		"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	],
	"ghcr.io/acme/web:latest@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef": [
		"ghcr.io", "acme/web", "latest",
		"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	],
}

test_images_are_parsed_as_runtimes_do if {
	every reference, expected in images {
		image := lib.image(reference)
		[image.registry, image.repository, image.tag, image.digest] == expected
	}
}

test_what_is_no_image_is_undefined if {
	every reference in ["", " ", "nginx:", "ghcr.io/acme/../evil", "ghcr.io//evil", "ghcr.io@evil.example/web", "a:b:c", "hmac-sha256:x/y:z", 5] {
		not lib.image(reference)
	}
}
