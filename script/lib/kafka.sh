# Sourced after bootstrap.sh: finds what a real Kafka broker needs, or installs Debian's as root.
kafka_advice="Install Java 17 or newer and Maven (Debian and Ubuntu, as root: apt-get install default-jre-headless maven)."

find_kafka() { # on failure kafka_missing says what is missing
  local major
  major=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
  if ((${major:-0} >= 17)) && command -v mvn >/dev/null; then return; fi
  kafka_missing="Maven is missing"
  if ((${major:-0} < 17)); then kafka_missing="Java 17 or newer is missing"; fi
  if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null && [[ -z ${kafka_tried:-} ]]; then
    kafka_tried=yes
    say "Installing Java and Maven …"
    local log
    log=$(mktemp)
    if { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends default-jre-headless maven; } >"$log" 2>&1 </dev/null; then
      rm -f "$log"
      find_kafka
      return
    fi
    say "$(tail -n 5 "$log")"
    rm -f "$log"
  fi
  return 1
}
