# Sourced after bootstrap.sh and debian.sh: finds Chromium, or installs Debian's as root. Exports QUAYSIDE_CHROMIUM, its path.
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
  install_debian Chromium chromium && find_chromium
}
