{{- define "quayside-agent.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/* 52 and not 63: Kubernetes puts a hash of 11 characters behind it in a label of a StatefulSet's pods. */}}
{{- define "quayside-agent.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "quayside-agent.selectorLabels" -}}
app.kubernetes.io/name: {{ include "quayside-agent.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* One map, so that an extra label of the same name replaces ours instead of standing there twice; never the selector's. */}}
{{- define "quayside-agent.labels" -}}
{{- $labels := dict
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $fixed := include "quayside-agent.selectorLabels" . | fromYaml -}}
{{- toYaml (mergeOverwrite $labels .Values.extraLabels $fixed) -}}
{{- end -}}

{{- define "quayside-agent.podLabels" -}}
{{- toYaml (mergeOverwrite (dict) .Values.extraLabels (include "quayside-agent.selectorLabels" . | fromYaml)) -}}
{{- end -}}

{{- define "quayside-agent.secretName" -}}
{{- if and .Values.secret.useExistingSecret (not .Values.secret.name) -}}
{{- fail "secret.useExistingSecret is true: say in secret.name which Secret holds PORT_CLIENT_ID and PORT_CLIENT_SECRET." -}}
{{- end -}}
{{- .Values.secret.name | default (include "quayside-agent.fullname" .) -}}
{{- end -}}

{{- define "quayside-agent.certificateSecretName" -}}
{{- with .Values.selfSignedCertificate -}}
{{- if and .secret.useExistingSecret (not .secret.name) -}}
{{- fail "selfSignedCertificate.secret.useExistingSecret is true: say in selfSignedCertificate.secret.name which Secret holds the certificate." -}}
{{- end -}}
{{- if and .secret.useExistingSecret .certificate -}}
{{- fail "selfSignedCertificate has both a certificate and secret.useExistingSecret: leave one out." -}}
{{- end -}}
{{- if and (not .secret.useExistingSecret) (not (contains "-----BEGIN CERTIFICATE-----" .certificate)) -}}
{{- fail "selfSignedCertificate.enabled is true, and selfSignedCertificate.certificate is not PEM. Give the certificate there (--set-file selfSignedCertificate.certificate=ca.crt), or name a Secret with selfSignedCertificate.secret.useExistingSecret=true." -}}
{{- end -}}
{{- .secret.name | default (printf "%s-certificate" (include "quayside-agent.fullname" $)) -}}
{{- end -}}
{{- end -}}

{{/* Values arrive as text, booleans or numbers; a number from a file is a float, and 1000000 must not become 1e+06. */}}
{{- define "quayside-agent.text" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) -}}{{ printf "%.0f" . }}{{- else -}}{{ toString . }}{{- end -}}
{{- end -}}

{{- define "quayside-agent.gracePeriodSeconds" -}}
{{- if .Values.terminationGracePeriodSeconds -}}
{{- int .Values.terminationGracePeriodSeconds -}}
{{- else -}}
{{- add 30 (int (ceil (float64 (default 30 .Values.env.normal.WEBHOOK_INVOKER_TIMEOUT)))) -}}
{{- end -}}
{{- end -}}
