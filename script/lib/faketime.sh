# Sourced after bootstrap.sh and debian.sh: finds libfaketime, by which a storm of faults steps clocks, or installs Debian's as root.
faketime_advice="Install it (Debian and Ubuntu, as root: apt-get install libfaketime)."

find_faketime() {
  compgen -G '/usr/lib*/*/faketime/libfaketime.so.1' >/dev/null || compgen -G '/usr/*/lib*/faketime/libfaketime.so.1' >/dev/null ||
    install_debian libfaketime libfaketime
}
