# Sourced after bootstrap.sh: builds the web UI into packages/web/dist when a source of it has changed.
build_web() {
  local stamp=packages/web/dist/.built-from built_from
  built_from=$({
    echo "$wanted_packages"
    find packages/web packages/contracts/src packages/expressions/src \
      \( -name node_modules -o -name dist -o -name test -o -name '*.test.*' \) -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 cksum
  } | cksum)
  [[ $(cat "$stamp" 2>/dev/null) == "$built_from" ]] && return
  say "Building the web UI …"
  (cd packages/web && vite build --logLevel warn) >&2 || fail "The web UI did not build; the messages above say why."
  printf '%s\n' "$built_from" >"$stamp"
}
