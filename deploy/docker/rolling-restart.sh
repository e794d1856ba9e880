#!/bin/sh
# Build, migrate, then replace one server after the other: one of them always answers.
set -eu
cd "$(dirname "$0")"
docker compose build prepare
docker compose run --rm prepare
for server in server-1 server-2; do
    docker compose up --detach --no-deps --wait "$server"
done
