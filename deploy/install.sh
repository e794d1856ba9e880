#!/bin/sh
# Install the unpacked bundle where it lies. Asks no network; needs the Python that BUNDLE names.
# PYTHON=/path/to/python ./install.sh for another one than python3 on the PATH.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}

. ./BUNDLE # wants=…, built on that Python and that kind of machine
have=$("$python" -c 'import sys, sysconfig; print("%d.%d" % sys.version_info[:2], sysconfig.get_platform())')
if [ "$have" != "$wants" ]; then
    echo "This bundle is for Python $wants, and $python is $have." >&2
    echo "Name another one: PYTHON=/path/to/python ./install.sh" >&2
    exit 1
fi
"$python" -m venv .venv || {
    rm -rf .venv
    echo "Python cannot make environments here: install python3-venv from the system's packages." >&2
    exit 1
}
pip() { .venv/bin/python -m pip --isolated --quiet --disable-pip-version-check "$@"; }
pip install --no-index --find-links wheels --require-hashes -r requirements-server.lock
pip install --no-index --no-deps wheels/runyard-*.whl
RUNYARD_SECRET_KEY=installing .venv/bin/python manage.py collectstatic --noinput --verbosity 0
echo "Installed in $PWD. Start it: .venv/bin/python manage.py serve"
echo "Where trainings run: pip install --no-index --find-links $PWD/wheels runyard"
