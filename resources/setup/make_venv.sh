#!/bin/sh
# Make the virtual environment: `make_venv.sh FOLDER [PYTHON]`. Called by the Makefile.
#
# A Python 3.11 or 3.12 is looked for under its usual names (a name that is there and does not run, as version managers
# leave them, is passed over). Where the system has neither, uv brings one; without uv one line says what to do.
set -eu

folder=$1
named=${2:-}

suits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1
}

if [ -n "$named" ]; then
    if ! suits "$named"; then
        echo "Proofline needs Python 3.11 or 3.12; PYTHON=$named is neither, or does not run." >&2
        exit 1
    fi
    python=$named
else
    python=
    for name in python3.11 python3.12 python3 python; do
        if command -v "$name" >/dev/null 2>&1 && suits "$name"; then
            python=$name
            break
        fi
    done
fi

if [ -n "$python" ]; then
    if "$python" -m venv "$folder"; then
        exit 0
    fi
    echo "The venv module is missing; on Debian: apt-get install python3-venv" >&2
    exit 1
fi

if command -v uv >/dev/null 2>&1; then
    echo "No Python 3.11 or 3.12 here; uv brings one"
    exec uv venv --quiet --seed --allow-existing --python 3.12 "$folder"
fi

echo "Proofline needs Python 3.11 or 3.12 and found neither: install uv (pipx install uv, or pip install uv) and call make again, or name one: make PYTHON=/path/to/python3.12" >&2
exit 1
