#!/bin/sh
# Restart one server after the other; the next one only when the last one can do its work.
# rolling-restart.sh [PORT …], as root. Without ports: 3141 and 3142.
set -eu
[ $# -gt 0 ] || set -- 3141 3142
wait_s=${WAIT_S:-120}

is_ready() { curl --silent --fail --output /dev/null --max-time 5 "http://127.0.0.1:$1/ready"; }

for port in "$@"; do
    systemctl restart "runyard@$port"
    left=$wait_s
    until is_ready "$port"; do
        left=$((left - 1))
        if [ "$left" -le 0 ]; then
            echo "runyard@$port is not ready after $wait_s s; the others still run as before." >&2
            echo "See: journalctl --unit runyard@$port; curl http://127.0.0.1:$port/ready" >&2
            exit 1
        fi
        sleep 1
    done
    echo "runyard@$port is ready."
done
