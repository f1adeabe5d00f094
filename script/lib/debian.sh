# Sourced after bootstrap.sh: what the operating system has to bring.

# install_debian <what> <package>…: as root on Debian or Ubuntu, and once; false = it could not, and the end of apt's output says why.
install_debian() {
  local what=$1 log code=0
  shift
  if [[ $(id -u) != 0 || " ${debian_tried:-} " == *" $1 "* ]] || ! command -v apt-get >/dev/null; then return 1; fi
  debian_tried+=" $1"
  say "Installing $what …"
  log=$(mktemp)
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null || code=1
  if ((code)); then say "$(tail -n 5 "$log")"; fi
  rm -f "$log"
  return "$code"
}
