#!/usr/bin/env bash
# What a GPU gives: scripts/gpu.py, in an environment that is made if needed, or with the packages of a bare machine.
# On a machine without a network: what it lacks lies in .gpu/, whose start.sh installs it (also: . .gpu/start.sh).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
complete() { python3 -c 'import fire, ignite, monai, nibabel, pytest, torch, yaml' 2>/dev/null; }
if python3 -c 'import torch' 2>/dev/null && ! complete && [ -f .gpu/start.sh ]; then
    set +u
    . .gpu/start.sh
    set -u
fi
if complete; then
    export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
    python=python3
else
    export ADW_REQUIREMENTS=requirements-dev.txt
    source scripts/environment.sh
    python=python
fi
export PYTHONUNBUFFERED=1 PYTHONWARNINGS=ignore
exec "$python" scripts/gpu.py "$@"
