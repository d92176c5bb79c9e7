#!/usr/bin/env bash
# What a GPU gives: scripts/gpu.py, in an environment that is made if needed, or with the packages of a bare machine.
# On a machine without a network: what it lacks lies in .gpu/, whose start.sh installs it (also: . .gpu/start.sh).
set -euo pipefail
export ADW_GPU_STARTED="${ADW_GPU_STARTED:-$(date +%s)}"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
complete() { python3 -c 'import fire, ignite, monai, nibabel, pytest, torch, yaml'; }
if python3 -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("torch") is None)'; then
    if ! complete 2>/dev/null && [ -f .gpu/start.sh ]; then
        set +u
        . .gpu/start.sh
        set -u
    fi
    if ! complete; then
        echo "error: this machine's python3 has torch, but lacks what is named above; lay it into .gpu/, or install it" >&2
        exit 1
    fi
    export PYTHONPATH="$PWD/scripts:$PWD${PYTHONPATH:+:$PYTHONPATH}"
    python=python3
else
    export ADW_REQUIREMENTS=requirements-dev.txt
    source scripts/environment.sh
    export PYTHONPATH="$PWD/scripts:$PWD"
    python=python
fi
df -h /dev/shm 2>/dev/null | tail -n 1 || true
export PYTHONUNBUFFERED=1 PYTHONWARNINGS=ignore
exec "$python" scripts/gpu.py "$@"
