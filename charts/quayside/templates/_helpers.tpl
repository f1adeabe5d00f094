{{- define "quayside.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}


{{- define "quayside.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "quayside.selectorLabels" -}}
app.kubernetes.io/name: {{ include "quayside.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* One map, so that an extra label of the same name replaces ours instead of standing there twice; never the selector's. */}}
{{- define "quayside.labels" -}}
{{- $labels := dict
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $fixed := include "quayside.selectorLabels" . | fromYaml -}}
{{- toYaml (mergeOverwrite $labels .Values.extraLabels $fixed) -}}
{{- end -}}

{{- define "quayside.podLabels" -}}
{{- toYaml (mergeOverwrite (dict) .Values.extraLabels (include "quayside.selectorLabels" . | fromYaml)) -}}
{{- end -}}

{{- define "quayside.secretName" -}}
{{- if and .Values.secret.useExistingSecret (not .Values.secret.name) -}}
{{- fail "secret.useExistingSecret is true: say in secret.name which Secret holds DATABASE_URL and QUAYSIDE_ENCRYPTION_KEY." -}}
{{- end -}}
{{- .Values.secret.name | default (include "quayside.fullname" .) -}}
{{- end -}}

{{/* Values arrive as text, booleans or numbers; a number from a file is a float, and 1000000 must not become 1e+06. */}}
{{- define "quayside.text" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) -}}{{ printf "%.0f" . }}{{- else -}}{{ toString . }}{{- end -}}
{{- end -}}

{{- define "quayside.claimName" -}}
{{- .Values.embeddedDatabase.existingClaim | default (printf "%s-data" (include "quayside.fullname" .)) -}}
{{- end -}}

{{/* How many servers there are at least. */}}
{{- define "quayside.leastReplicas" -}}
{{- if .Values.embeddedDatabase.enabled -}}1
{{- else if .Values.autoscaling.enabled -}}{{ .Values.autoscaling.minReplicas }}
{{- else -}}{{ .Values.replicaCount }}
{{- end -}}
{{- end -}}

{{/* What browsers and agents call the portal. */}}
{{- define "quayside.baseUrl" -}}
{{- if .Values.env.normal.QUAYSIDE_BASE_URL -}}
{{- .Values.env.normal.QUAYSIDE_BASE_URL -}}
{{- else if and .Values.ingress.enabled .Values.ingress.hosts -}}
{{- $host := (first .Values.ingress.hosts).host -}}
{{- $scheme := "http" -}}
{{- range .Values.ingress.tls -}}{{- if has $host .hosts -}}{{- $scheme = "https" -}}{{- end -}}{{- end -}}
{{- printf "%s://%s" $scheme $host -}}
{{- end -}}
{{- end -}}

{{/* What can not work is refused by the install, not found out by the pods. */}}
{{- define "quayside.assertPossible" -}}
{{- if .Values.embeddedDatabase.enabled -}}
{{- if .Values.autoscaling.enabled -}}
{{- fail "embeddedDatabase.enabled and autoscaling.enabled exclude each other: the embedded database serves one server. Give a PostgreSQL of your own in env.secret.DATABASE_URL." -}}
{{- end -}}
{{- if and (not .Values.secret.useExistingSecret) .Values.env.secret.DATABASE_URL -}}
{{- fail "embeddedDatabase.enabled is true and env.secret.DATABASE_URL is set: leave one out." -}}
{{- end -}}
{{- else if not .Values.secret.useExistingSecret -}}
{{- if not .Values.env.secret.DATABASE_URL -}}
{{- fail "The portal needs a PostgreSQL: set env.secret.DATABASE_URL (or secret.useExistingSecret and secret.name), or embeddedDatabase.enabled=true for a trial." -}}
{{- end -}}
{{- if not .Values.env.secret.QUAYSIDE_ENCRYPTION_KEY -}}
{{- fail "env.secret.QUAYSIDE_ENCRYPTION_KEY is needed, the same for ever: it opens the stored secrets. Make one with: openssl rand -base64 32" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- fail "ingress.enabled is true: say in ingress.hosts under which name." -}}
{{- end -}}
{{- end -}}
