# Sourced after bootstrap.sh and debian.sh: finds what a real Kafka broker needs, or installs Debian's as root.
kafka_advice="Install Java 17 or newer and Maven (Debian and Ubuntu, as root: apt-get install default-jre-headless maven)."

find_kafka() { # on failure kafka_missing says what is missing
  local major
  major=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
  if ((${major:-0} >= 17)) && command -v mvn >/dev/null; then return; fi
  kafka_missing="Maven is missing"
  if ((${major:-0} < 17)); then kafka_missing="Java 17 or newer is missing"; fi
  install_debian "Java and Maven" default-jre-headless maven && find_kafka
}
