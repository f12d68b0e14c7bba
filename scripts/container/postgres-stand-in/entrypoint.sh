#!/bin/sh
# Obeys POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB and PGDATA as the image that it stands for, and nothing else.
set -eu
: "${POSTGRES_PASSWORD:?must be set: the database would be open to everybody}"
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
PGDATA=${PGDATA:-/var/lib/postgresql/data}
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$PGDATA"
  chown postgres:postgres "$PGDATA"
  chmod 700 "$PGDATA"
  secret=$(mktemp)
  printf '%s\n' "$POSTGRES_PASSWORD" > "$secret"
  chown postgres "$secret"
  as_postgres initdb -D "$PGDATA" --username="$user" --pwfile="$secret" --auth-local=trust --auth-host=scram-sha-256
  rm "$secret"
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  # Nobody reaches it over the network before its database is there.
  as_postgres pg_ctl -D "$PGDATA" -w -o "-c listen_addresses=''" start
  [ "$database" = postgres ] || as_postgres createdb --username="$user" --maintenance-db=postgres "$database"
  as_postgres pg_ctl -D "$PGDATA" -w stop
fi
unset POSTGRES_PASSWORD
exec setpriv --reuid=postgres --regid=postgres --init-groups postgres -D "$PGDATA" -c listen_addresses='*'
