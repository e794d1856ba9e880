#!/bin/sh
# Make up every secret of compose.yaml, once. Those that are there stay.
# Containers read them as users of their own: the files are readable, the folder is not.
set -eu
folder=$(dirname "$0")/secrets
mkdir -p "$folder"
chmod 700 "$folder"

made_up() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { [ -e "$folder/$1" ] || { cat >"$folder/$1"; chmod 444 "$folder/$1"; }; }
kept() { cat "$folder/$1"; }

made_up | keep secret_key
made_up | keep postgres_password
made_up | keep redis_password
made_up | keep s3_access_key
made_up | keep s3_secret_key
made_up | keep metrics_token
echo "postgres://runyard:$(kept postgres_password)@postgres:5432/runyard" | keep database_url
echo "redis://:$(kept redis_password)@redis:6379/0" | keep redis_url
printf 'requirepass %s\nsave ""\nappendonly no\n' "$(kept redis_password)" | keep redis.conf
keep s3.json <<JSON
{"identities": [{"name": "runyard", "actions": ["Admin", "Read", "Write", "List", "Tagging"],
  "credentials": [{"accessKey": "$(kept s3_access_key)", "secretKey": "$(kept s3_secret_key)"}]}]}
JSON
