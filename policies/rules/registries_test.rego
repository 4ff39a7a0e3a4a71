package plane.rules.registries_test

import data.plane.rules.registries

found(image, allowed) := violations if {
	violations := registries.violations with input as {
		"manifest": {"kind": "Pod", "spec": {"containers": [{"name": "main", "image": image}]}},
		"parameters": {"I01": {"registries": allowed}},
	}
}

test_without_a_list_it_says_nothing if count(found("evil.example/app:1", [])) == 0

test_a_registry_allows_all_in_it if {
	every image in ["ghcr.io/app:1", "ghcr.io/acme/deep/app:1"] {
		count(found(image, ["ghcr.io"])) == 0
	}
}

test_a_glob_stops_at_a_slash if {
	count(found("ghcr.io/acme/app:1", ["ghcr.io/acme/*"])) == 0
	count(found("ghcr.io/acme/deep/app:1", ["ghcr.io/acme/*"])) == 1
	count(found("ghcr.io/acme/deep/app:1", ["ghcr.io/acme/**"])) == 0
}

test_what_only_looks_alike_is_refused if {
	every image in ["ghcr.io.evil.example/app:1", "ghcr.iox/app:1", "evil.example/ghcr.io/app:1", "ghcr.io@evil.example/app", "app:1", "", 5] {
		count(found(image, ["ghcr.io"])) == 1
	}
}

test_docker_hub_has_a_name if {
	count(found("nginx:1", ["docker.io/library/*"])) == 0
	count(found("acme/web:1", ["docker.io/library/*"])) == 1
}

test_the_sentence_names_image_and_list if {
	found("evil.example/app:1", ["ghcr.io", "registry.example/**"]) == {{
		"message": "container \"main\" has image \"evil.example/app:1\", which is not from an allowed registry (ghcr.io, registry.example/**)",
		"path": "/spec/containers/0/image",
	}}
}
