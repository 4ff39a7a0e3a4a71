# METADATA
# title: API versions
# description: >-
#   When Kubernetes deprecated and removed an apiVersion of a kind, by minor of version 1, and what takes its place. From the
#   life cycle that k8s.io/api states for its types, to v0.37; and from the deprecated API migration guide for kinds that are
#   no longer in it.
package plane.lib.apis

import data.plane.lib
import data.plane.lib.versions

# What is known about an object's apiVersion and kind; undefined for what stays.
row(manifest) := table[sprintf("%v/%v", [object.get(manifest, "apiVersion", ""), object.get(manifest, "kind", "")])]

# The minor to judge by: the binding's, or the cluster's.
minor(about) := versions.minor(version) if {
	version := lib.setting(about, "kubeVersion")
	version != ""
} else := versions.minor(lib.text(input, ["context", "kubeVersion"]))

advice(found) := "; nothing takes its place" if {
	found.replacement == ""
} else := sprintf("; use %s", [found.replacement])

table := {
	"admissionregistration.k8s.io/v1alpha1/MutatingAdmissionPolicy": {"deprecated": 35, "removed": 38, "replacement": "admissionregistration.k8s.io/v1"},
	"admissionregistration.k8s.io/v1alpha1/MutatingAdmissionPolicyBinding": {"deprecated": 35, "removed": 38, "replacement": "admissionregistration.k8s.io/v1"},
	"admissionregistration.k8s.io/v1alpha1/ValidatingAdmissionPolicy": {"deprecated": 29, "removed": 32, "replacement": "admissionregistration.k8s.io/v1"},
	"admissionregistration.k8s.io/v1alpha1/ValidatingAdmissionPolicyBinding": {"deprecated": 29, "removed": 32, "replacement": "admissionregistration.k8s.io/v1"},
	"admissionregistration.k8s.io/v1beta1/MutatingWebhookConfiguration": {"deprecated": 16, "removed": 22, "replacement": "admissionregistration.k8s.io/v1"},
	"admissionregistration.k8s.io/v1beta1/ValidatingAdmissionPolicy": {"deprecated": 31, "removed": 34, "replacement": "admissionregistration.k8s.io/v1"},
	"admissionregistration.k8s.io/v1beta1/ValidatingAdmissionPolicyBinding": {"deprecated": 31, "removed": 34, "replacement": "admissionregistration.k8s.io/v1"},
	"admissionregistration.k8s.io/v1beta1/ValidatingWebhookConfiguration": {"deprecated": 16, "removed": 22, "replacement": "admissionregistration.k8s.io/v1"},
	"apiextensions.k8s.io/v1beta1/CustomResourceDefinition": {"deprecated": 16, "removed": 22, "replacement": "apiextensions.k8s.io/v1"},
	"apiregistration.k8s.io/v1beta1/APIService": {"deprecated": 19, "removed": 22, "replacement": "apiregistration.k8s.io/v1"},
	"apps/v1beta1/ControllerRevision": {"deprecated": 8, "removed": 16, "replacement": "apps/v1"},
	"apps/v1beta1/Deployment": {"deprecated": 8, "removed": 16, "replacement": "apps/v1"},
	"apps/v1beta1/StatefulSet": {"deprecated": 8, "removed": 16, "replacement": "apps/v1"},
	"apps/v1beta2/ControllerRevision": {"deprecated": 9, "removed": 16, "replacement": "apps/v1"},
	"apps/v1beta2/DaemonSet": {"deprecated": 9, "removed": 16, "replacement": "apps/v1"},
	"apps/v1beta2/Deployment": {"deprecated": 9, "removed": 16, "replacement": "apps/v1"},
	"apps/v1beta2/ReplicaSet": {"deprecated": 9, "removed": 16, "replacement": "apps/v1"},
	"apps/v1beta2/StatefulSet": {"deprecated": 9, "removed": 16, "replacement": "apps/v1"},
	"autoscaling/v2beta1/HorizontalPodAutoscaler": {"deprecated": 22, "removed": 25, "replacement": "autoscaling/v2"},
	"autoscaling/v2beta2/HorizontalPodAutoscaler": {"deprecated": 23, "removed": 26, "replacement": "autoscaling/v2"},
	"batch/v1beta1/CronJob": {"deprecated": 21, "removed": 25, "replacement": "batch/v1"},
	"certificates.k8s.io/v1alpha1/ClusterTrustBundle": {"deprecated": 34, "removed": 37, "replacement": "certificates.k8s.io/v1"},
	"certificates.k8s.io/v1beta1/CertificateSigningRequest": {"deprecated": 19, "removed": 22, "replacement": "certificates.k8s.io/v1"},
	"coordination.k8s.io/v1alpha2/LeaseCandidate": {"deprecated": 35, "removed": 38, "replacement": "coordination.k8s.io/v1beta1"},
	"coordination.k8s.io/v1beta1/Lease": {"deprecated": 19, "removed": 22, "replacement": "coordination.k8s.io/v1"},
	"coordination.k8s.io/v1beta1/LeaseCandidate": {"deprecated": 36, "removed": 39, "replacement": ""},
	"discovery.k8s.io/v1beta1/EndpointSlice": {"deprecated": 21, "removed": 25, "replacement": "discovery.k8s.io/v1"},
	"events.k8s.io/v1beta1/Event": {"deprecated": 22, "removed": 25, "replacement": "events.k8s.io/v1"},
	"extensions/v1beta1/DaemonSet": {"deprecated": 8, "removed": 16, "replacement": "apps/v1"},
	"extensions/v1beta1/Deployment": {"deprecated": 8, "removed": 16, "replacement": "apps/v1"},
	"extensions/v1beta1/Ingress": {"deprecated": 14, "removed": 22, "replacement": "networking.k8s.io/v1"},
	"extensions/v1beta1/NetworkPolicy": {"deprecated": 9, "removed": 16, "replacement": "networking.k8s.io/v1"},
	"extensions/v1beta1/PodSecurityPolicy": {"deprecated": 10, "removed": 16, "replacement": ""},
	"extensions/v1beta1/ReplicaSet": {"deprecated": 8, "removed": 16, "replacement": "apps/v1"},
	"flowcontrol.apiserver.k8s.io/v1beta1/FlowSchema": {"deprecated": 23, "removed": 26, "replacement": "flowcontrol.apiserver.k8s.io/v1beta3"},
	"flowcontrol.apiserver.k8s.io/v1beta1/PriorityLevelConfiguration": {"deprecated": 23, "removed": 26, "replacement": "flowcontrol.apiserver.k8s.io/v1beta3"},
	"flowcontrol.apiserver.k8s.io/v1beta2/FlowSchema": {"deprecated": 26, "removed": 29, "replacement": "flowcontrol.apiserver.k8s.io/v1beta3"},
	"flowcontrol.apiserver.k8s.io/v1beta2/PriorityLevelConfiguration": {"deprecated": 26, "removed": 29, "replacement": "flowcontrol.apiserver.k8s.io/v1beta3"},
	"flowcontrol.apiserver.k8s.io/v1beta3/FlowSchema": {"deprecated": 29, "removed": 32, "replacement": "flowcontrol.apiserver.k8s.io/v1"},
	"flowcontrol.apiserver.k8s.io/v1beta3/PriorityLevelConfiguration": {"deprecated": 29, "removed": 32, "replacement": "flowcontrol.apiserver.k8s.io/v1"},
	"networking.k8s.io/v1beta1/IPAddress": {"deprecated": 34, "removed": 37, "replacement": "networking.k8s.io/v1"},
	"networking.k8s.io/v1beta1/Ingress": {"deprecated": 19, "removed": 22, "replacement": "networking.k8s.io/v1"},
	"networking.k8s.io/v1beta1/IngressClass": {"deprecated": 19, "removed": 22, "replacement": "networking.k8s.io/v1"},
	"networking.k8s.io/v1beta1/ServiceCIDR": {"deprecated": 34, "removed": 37, "replacement": "networking.k8s.io/v1"},
	"node.k8s.io/v1beta1/RuntimeClass": {"deprecated": 22, "removed": 25, "replacement": "node.k8s.io/v1"},
	"policy/v1beta1/PodDisruptionBudget": {"deprecated": 21, "removed": 25, "replacement": "policy/v1"},
	"policy/v1beta1/PodSecurityPolicy": {"deprecated": 21, "removed": 25, "replacement": ""},
	"rbac.authorization.k8s.io/v1alpha1/ClusterRole": {"deprecated": 17, "removed": 22, "replacement": "rbac.authorization.k8s.io/v1"},
	"rbac.authorization.k8s.io/v1alpha1/ClusterRoleBinding": {"deprecated": 17, "removed": 22, "replacement": "rbac.authorization.k8s.io/v1"},
	"rbac.authorization.k8s.io/v1alpha1/Role": {"deprecated": 17, "removed": 22, "replacement": "rbac.authorization.k8s.io/v1"},
	"rbac.authorization.k8s.io/v1alpha1/RoleBinding": {"deprecated": 17, "removed": 22, "replacement": "rbac.authorization.k8s.io/v1"},
	"rbac.authorization.k8s.io/v1beta1/ClusterRole": {"deprecated": 17, "removed": 22, "replacement": "rbac.authorization.k8s.io/v1"},
	"rbac.authorization.k8s.io/v1beta1/ClusterRoleBinding": {"deprecated": 17, "removed": 22, "replacement": "rbac.authorization.k8s.io/v1"},
	"rbac.authorization.k8s.io/v1beta1/Role": {"deprecated": 17, "removed": 22, "replacement": "rbac.authorization.k8s.io/v1"},
	"rbac.authorization.k8s.io/v1beta1/RoleBinding": {"deprecated": 17, "removed": 22, "replacement": "rbac.authorization.k8s.io/v1"},
	"resource.k8s.io/v1alpha3/DeviceTaintRule": {"deprecated": 36, "removed": 39, "replacement": "resource.k8s.io/v1"},
	"resource.k8s.io/v1beta1/DeviceClass": {"deprecated": 35, "removed": 38, "replacement": "resource.k8s.io/v1"},
	"resource.k8s.io/v1beta1/ResourceClaim": {"deprecated": 35, "removed": 38, "replacement": "resource.k8s.io/v1"},
	"resource.k8s.io/v1beta1/ResourceClaimTemplate": {"deprecated": 35, "removed": 38, "replacement": "resource.k8s.io/v1"},
	"resource.k8s.io/v1beta1/ResourceSlice": {"deprecated": 35, "removed": 38, "replacement": "resource.k8s.io/v1"},
	"resource.k8s.io/v1beta2/DeviceClass": {"deprecated": 36, "removed": 39, "replacement": "resource.k8s.io/v1"},
	"resource.k8s.io/v1beta2/ResourceClaim": {"deprecated": 36, "removed": 39, "replacement": "resource.k8s.io/v1"},
	"resource.k8s.io/v1beta2/ResourceClaimTemplate": {"deprecated": 36, "removed": 39, "replacement": "resource.k8s.io/v1"},
	"resource.k8s.io/v1beta2/ResourceSlice": {"deprecated": 36, "removed": 39, "replacement": "resource.k8s.io/v1"},
	"scheduling.k8s.io/v1beta1/PriorityClass": {"deprecated": 14, "removed": 22, "replacement": "scheduling.k8s.io/v1"},
	"storage.k8s.io/v1alpha1/CSIStorageCapacity": {"deprecated": 21, "removed": 24, "replacement": "storage.k8s.io/v1beta1"},
	"storage.k8s.io/v1alpha1/VolumeAttachment": {"deprecated": 21, "removed": 24, "replacement": "storage.k8s.io/v1"},
	"storage.k8s.io/v1alpha1/VolumeAttributesClass": {"deprecated": 32, "removed": 35, "replacement": "storage.k8s.io/v1"},
	"storage.k8s.io/v1beta1/CSIDriver": {"deprecated": 19, "removed": 22, "replacement": "storage.k8s.io/v1"},
	"storage.k8s.io/v1beta1/CSINode": {"deprecated": 17, "removed": 22, "replacement": "storage.k8s.io/v1"},
	"storage.k8s.io/v1beta1/CSIStorageCapacity": {"deprecated": 24, "removed": 27, "replacement": "storage.k8s.io/v1"},
	"storage.k8s.io/v1beta1/StorageClass": {"deprecated": 19, "removed": 22, "replacement": "storage.k8s.io/v1"},
	"storage.k8s.io/v1beta1/VolumeAttachment": {"deprecated": 19, "removed": 22, "replacement": "storage.k8s.io/v1"},
	"storage.k8s.io/v1beta1/VolumeAttributesClass": {"deprecated": 34, "removed": 37, "replacement": "storage.k8s.io/v1"},
}
