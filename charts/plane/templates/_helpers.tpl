{{- define "plane.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "plane.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "plane.labels" -}}
{{ include "plane.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "plane.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* What every pod of the plane has in common. Service links would set PLANE_PORT for a Service called plane, and the plane reads that. */ -}}
{{- define "plane.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "plane.container" -}}
image: {{ include "plane.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{- define "plane.environment" -}}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.database.existingSecret }}
      key: {{ .Values.database.urlKey }}
- name: PLANE_PLANE_ID
  value: {{ .Values.planeId | quote }}
- name: PLANE_STATE_DIR
  value: /var/lib/plane
- name: PLANE_MASTER_KEY_FILE
  value: /etc/plane/keys/{{ .Values.keys.masterKey }}
- name: PLANE_SIGNING_KEY_FILE
  value: /etc/plane/keys/{{ .Values.keys.signingKey }}
- name: PLANE_GIT_NETWORKS
  value: {{ .Values.settings.gitNetworks | quote }}
- name: PLANE_SINK_NETWORKS
  value: {{ .Values.settings.sinkNetworks | quote }}
- name: PLANE_LOGIN_NETWORKS
  value: {{ .Values.settings.loginNetworks | quote }}
{{- if .Values.login.existingSecret.name }}
- name: PLANE_LOGIN_FILE
  value: /etc/plane/login/login.yaml
{{- end }}
- name: PLANE_WORKERS
  value: {{ .Values.settings.workers | quote }}
- name: PLANE_BATCH
  value: {{ .Values.settings.batch | quote }}
- name: PLANE_LOG_LEVEL
  value: {{ .Values.settings.logLevel }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "plane.mounts" -}}
- name: state
  mountPath: /var/lib/plane
- name: tmp
  mountPath: /tmp
- name: shm
  mountPath: /dev/shm
- name: keys
  mountPath: /etc/plane/keys
  readOnly: true
{{- if .Values.login.existingSecret.name }}
- name: login
  mountPath: /etc/plane/login
  readOnly: true
{{- end }}
{{- end }}

{{- define "plane.volumes" -}}
- name: state
  emptyDir:
    sizeLimit: {{ .Values.storage.state }}
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.storage.tmp }}
- name: shm
  emptyDir:
    medium: Memory
    sizeLimit: {{ .Values.storage.shm }}
- name: keys
  secret:
    secretName: {{ .Values.keys.existingSecret }}
    defaultMode: 0440
    items:
      - key: {{ .Values.keys.masterKey }}
        path: {{ .Values.keys.masterKey }}
      - key: {{ .Values.keys.signingKey }}
        path: {{ .Values.keys.signingKey }}
{{- with .Values.login.existingSecret }}
{{- if .name }}
- name: login
  secret:
    secretName: {{ .name }}
    defaultMode: 0440
    items: [{key: {{ .key | quote }}, path: login.yaml}]
{{- end }}
{{- end }}
{{- end }}

{{- define "plane.template.metadata" -}}
labels:
  {{- include "plane.selector" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .component }}
  {{- with .root.Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .root.Values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
