#!/bin/sh
# manage.py as the servers run it: their user, variables and secrets.
# manage.sh COMMAND [ARGUMENT …], as root.
set -eu
etc=${ETC:-/etc/runyard}
cd "$(dirname "$0")/../.."

while IFS= read -r line || [ -n "$line" ]; do  # as systemd reads it, which is not as a shell does
    case $line in
        [A-Za-z_]*=*) ;;
        *) continue ;;
    esac
    value=${line#*=}
    case $value in
        \"*\") value=${value#\"} value=${value%\"} ;;
        \'*\') value=${value#\'} value=${value%\'} ;;
    esac
    export "${line%%=*}=$value"
done < "$etc/runyard.env"

read_secret() {
    if [ -f "$etc/secrets/$1" ]; then export "$2=$(cat "$etc/secrets/$1")"; fi
}
read_secret database_url DATABASE_URL
read_secret redis_url REDIS_URL
read_secret secret_key RUNYARD_SECRET_KEY
read_secret s3_access_key RUNYARD_S3_ACCESS_KEY
read_secret s3_secret_key RUNYARD_S3_SECRET_KEY
read_secret metrics_token RUNYARD_METRICS_TOKEN

export RUNYARD_DATA_DIR=/var/lib/runyard TMPDIR=/var/lib/runyard PYTHONDONTWRITEBYTECODE=1
umask 027
exec runuser -u runyard -- .venv/bin/python manage.py "$@"
