# Sourced after bootstrap.sh: finds Chromium, or installs Debian's as root. Exports QUAYSIDE_CHROMIUM, its path.
chromium_advice="Install it (Debian and Ubuntu, as root: apt-get install chromium), or set QUAYSIDE_CHROMIUM to its path."

find_chromium() {
  local name
  if [[ -n ${QUAYSIDE_CHROMIUM:-} ]]; then
    [[ -x $QUAYSIDE_CHROMIUM ]] && return
    fail "QUAYSIDE_CHROMIUM names $QUAYSIDE_CHROMIUM, which is not a program."
  fi
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if QUAYSIDE_CHROMIUM=$(command -v "$name"); then export QUAYSIDE_CHROMIUM; return; fi
  done
  unset QUAYSIDE_CHROMIUM
  if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null && [[ -z ${chromium_tried:-} ]]; then
    chromium_tried=yes
    say "Installing Chromium …"
    local log
    log=$(mktemp)
    if { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium; } >"$log" 2>&1 </dev/null; then
      rm -f "$log"
      find_chromium
      return
    fi
    say "$(tail -n 5 "$log")"
    rm -f "$log"
  fi
  return 1
}
