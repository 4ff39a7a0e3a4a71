# METADATA
# title: Shapes
# description: The fields that Kubernetes knows, through v1.36, where a misspelt one is dropped without a word.
package plane.lib.shapes

import data.plane.lib

top := {"apiVersion", "kind", "metadata", "spec", "status"}

# Kinds whose content is not below spec.
tops := {
	"ConfigMap": {"apiVersion", "kind", "metadata", "data", "binaryData", "immutable"},
	"Secret": {"apiVersion", "kind", "metadata", "data", "stringData", "type", "immutable", "sops"},
	"ServiceAccount": {"apiVersion", "kind", "metadata", "automountServiceAccountToken", "imagePullSecrets", "secrets"},
	"PodTemplate": {"apiVersion", "kind", "metadata", "template"},
}

workloads := {
	"Deployment": {
		"minReadySeconds", "paused", "progressDeadlineSeconds", "replicas", "revisionHistoryLimit", "selector", "strategy",
		"template",
	},
	"StatefulSet": {
		"minReadySeconds", "ordinals", "persistentVolumeClaimRetentionPolicy", "podManagementPolicy", "replicas",
		"revisionHistoryLimit", "selector", "serviceName", "template", "updateStrategy", "volumeClaimTemplates",
	},
	"DaemonSet": {"minReadySeconds", "revisionHistoryLimit", "selector", "template", "updateStrategy"},
	"ReplicaSet": {"minReadySeconds", "replicas", "selector", "template"},
	"Job": {
		"activeDeadlineSeconds", "backoffLimit", "backoffLimitPerIndex", "completionMode", "completions", "managedBy",
		"manualSelector", "maxFailedIndexes", "parallelism", "podFailurePolicy", "podReplacementPolicy", "scheduling", "selector",
		"successPolicy", "suspend", "template", "ttlSecondsAfterFinished",
	},
	"CronJob": {
		"concurrencyPolicy", "failedJobsHistoryLimit", "jobTemplate", "schedule", "startingDeadlineSeconds",
		"successfulJobsHistoryLimit", "suspend", "timeZone",
	},
}

pod := {
	"activeDeadlineSeconds", "affinity", "automountServiceAccountToken", "containers", "dnsConfig", "dnsPolicy",
	"enableServiceLinks", "ephemeralContainers", "hostAliases", "hostIPC", "hostNetwork", "hostPID", "hostUsers",
	"hostname", "hostnameOverride", "imagePullSecrets", "initContainers", "nodeName", "nodeSelector", "os", "overhead",
	"preemptionPolicy", "priority", "priorityClassName", "readinessGates", "resourceClaims", "resources",
	"restartPolicy", "runtimeClassName", "schedulerName", "schedulingGates", "schedulingGroup", "securityContext",
	"serviceAccount", "serviceAccountName", "setHostnameAsFQDN", "shareProcessNamespace", "subdomain",
	"terminationGracePeriodSeconds", "tolerations", "topologySpreadConstraints", "volumes",
}

container := {
	"args", "command", "env", "envFrom", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "name", "ports",
	"readinessProbe", "resizePolicy", "resources", "restartPolicy", "restartPolicyRules", "securityContext",
	"startupProbe", "stdin", "stdinOnce", "terminationMessagePath", "terminationMessagePolicy", "tty", "volumeDevices",
	"volumeMounts", "workingDir",
}

ephemeral := {
	"args", "command", "env", "envFrom", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "name", "ports",
	"readinessProbe", "resizePolicy", "resources", "restartPolicy", "restartPolicyRules", "securityContext",
	"startupProbe", "stdin", "stdinOnce", "targetContainerName", "terminationMessagePath", "terminationMessagePolicy",
	"tty", "volumeDevices", "volumeMounts", "workingDir",
}

service := {
	"allocateLoadBalancerNodePorts", "clusterIP", "clusterIPs", "externalIPs", "externalName", "externalTrafficPolicy",
	"healthCheckNodePort", "internalTrafficPolicy", "ipFamilies", "ipFamilyPolicy", "loadBalancerClass",
	"loadBalancerIP", "loadBalancerSourceRanges", "ports", "publishNotReadyAddresses", "selector", "sessionAffinity",
	"sessionAffinityConfig", "trafficDistribution", "type",
}

context := {
	"allowPrivilegeEscalation", "appArmorProfile", "capabilities", "privileged", "procMount", "readOnlyRootFilesystem",
	"runAsGroup", "runAsNonRoot", "runAsUser", "seLinuxOptions", "seccompProfile", "windowsOptions",
}

pod_context := {
	"appArmorProfile", "fsGroup", "fsGroupChangePolicy", "runAsGroup", "runAsNonRoot", "runAsUser",
	"seLinuxChangePolicy", "seLinuxOptions", "seccompProfile", "supplementalGroups", "supplementalGroupsPolicy",
	"sysctls", "windowsOptions",
}

resources := {
	"claims", "limits", "requests",
}

probe := {
	"exec", "failureThreshold", "grpc", "httpGet", "initialDelaySeconds", "periodSeconds", "successThreshold",
	"tcpSocket", "terminationGracePeriodSeconds", "timeoutSeconds",
}

# The parts of an object whose fields are known: [fields, value, what, path].
known(manifest) := array.concat(outer(manifest), inner(manifest))

outer(manifest) := array.concat(
	[[tops[manifest.kind], manifest, manifest.kind, []] |
		lib.group(manifest) == ""
		tops[manifest.kind]
	],
	array.concat(
		[[workloads[manifest.kind], spec, sprintf("the spec of a %s", [manifest.kind]), ["spec"]] |
			lib.group(manifest) in {"apps", "batch"}
			workloads[manifest.kind]
			spec := lib.mapping(manifest, ["spec"])
		],
		array.concat(
			[[top, manifest, manifest.kind, []] |
				lib.group(manifest) in {"apps", "batch"}
				workloads[manifest.kind]
			],
			[[service, spec, "the spec of a Service", ["spec"]] |
				lib.is_kind(manifest, "", "Service")
				spec := lib.mapping(manifest, ["spec"])
			],
		),
	),
)

# Pods of kinds that Kubernetes itself brings.
inner(manifest) := [part |
	lib.group(manifest) in {"", "apps", "batch"}
	some found in lib.pods(manifest)
	some part in array.concat(of_pod(found), of_containers(found))
]

of_pod(found) := [
	[pod, found.spec, "a pod's spec", found.path],
	[pod_context, lib.mapping(found.spec, ["securityContext"]), "a pod's securityContext", array.concat(found.path, ["securityContext"])],
]

of_containers(found) := [part |
	some kind in lib.container_fields
	some index, spec in lib.list(found.spec, [kind])
	is_object(spec)
	path := array.concat(found.path, [kind, index])
	some part in of_container(kind, spec, path)
]

of_container(kind, spec, path) := array.concat(
	[
		[fields_of[kind], spec, lib.words[kind], path],
		[context, lib.mapping(spec, ["securityContext"]), "a container's securityContext", array.concat(path, ["securityContext"])],
		[resources, lib.mapping(spec, ["resources"]), "resources", array.concat(path, ["resources"])],
	],
	[[probe, lib.mapping(spec, [name]), name, array.concat(path, [name])] |
		some name in ["livenessProbe", "readinessProbe", "startupProbe"]
	],
)

fields_of := {"containers": container, "initContainers": container, "ephemeralContainers": ephemeral}
