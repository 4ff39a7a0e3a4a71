"""Images are found wherever a pod is described."""

from plane.domain.viewing import images


def test_images_are_found_in_pods_templates_and_custom_kinds() -> None:
    pod = {"initContainers": [{"image": "a:1"}], "containers": [{"image": "b:1"}, {"name": "no image"}], "nodeName": "n"}
    assert list(images.images({"kind": "Pod", "spec": pod})) == ["a:1", "b:1"]
    assert list(images.images({"spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}})) == ["a:1", "b:1"]
    assert list(images.images({"kind": "Fleet", "spec": {"parts": [{"template": {"spec": pod}}]}})) == ["a:1", "b:1"]


def test_what_only_looks_like_containers_is_passed_over() -> None:
    assert list(images.images({"data": {"containers": "none"}, "spec": {"containers": ["odd", 1]}})) == []
