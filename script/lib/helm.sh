# Sourced after bootstrap.sh: builds Helm from the Go module proxy into .tools/ and lays the schemas of Kubernetes and KEDA beside
# it, from the modules that carry them. Exports QUAYSIDE_HELM, the folder with both. Go's own caches make a second clone quick.
helm_version=3.22.0
kubernetes_versions=(1.31.14 1.36.3)
keda_version=2.21.0
compose_version=2.16.2
helm_advice="Install Go (a version of the last two years; Debian and Ubuntu: apt-get install golang)."

# From a module only its sources are wanted: -json says where they are, and nothing is built.
module_folder() { go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p'; }

install_helm() {
  [[ -e $QUAYSIDE_HELM/complete ]] && return
  say "Building Helm $helm_version in .tools/ (two minutes the first time) …"
  local version folder rules=helm.sh/helm/v3/pkg
  mkdir -p "$QUAYSIDE_HELM"
  # The Kubernetes that a chart is rendered for, which Helm's own releases are told in the same way.
  GOBIN=$QUAYSIDE_HELM CGO_ENABLED=0 GOFLAGS= go install -trimpath -ldflags "-s -w \
    -X helm.sh/helm/v3/internal/version.version=v$helm_version \
    -X $rules/lint/rules.k8sVersionMajor=1 -X $rules/lint/rules.k8sVersionMinor=36 \
    -X $rules/chartutil.k8sVersionMajor=1 -X $rules/chartutil.k8sVersionMinor=36" "helm.sh/helm/v3/cmd/helm@v$helm_version" || return
  for version in "${kubernetes_versions[@]}"; do
    folder=$(module_folder "k8s.io/kubernetes@v$version") || return
    cp "$folder/api/openapi-spec/swagger.json" "$QUAYSIDE_HELM/kubernetes-$version.json" || return
  done
  folder=$(module_folder "github.com/kedacore/keda/v2@v$keda_version") || return
  cp "$folder/config/crd/bases/keda.sh_scaledobjects.yaml" "$QUAYSIDE_HELM/" || return
  folder=$(module_folder "github.com/compose-spec/compose-go/v2@v$compose_version") || return
  cp "$folder/schema/compose-spec.json" "$QUAYSIDE_HELM/" || return
  chmod -R u+w "$QUAYSIDE_HELM"
  touch "$QUAYSIDE_HELM/complete"
}

find_helm() {
  export QUAYSIDE_HELM=$root/.tools/helm-$helm_version-$keda_version-$compose_version-${kubernetes_versions[*]: -1}
  [[ -e $QUAYSIDE_HELM/complete ]] && return
  if ! command -v go >/dev/null; then
    helm_missing="Go is missing"
    return 1
  fi
  with_lock install_helm && return
  helm_missing="Helm could not be built; the messages above say why"
  return 1
}
