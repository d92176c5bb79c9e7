#!/usr/bin/env bash
# Drive a real MONAI Label server over HTTP with toy bundles on generated studies: tests/annotation, in MONAI Label's own environment.
# ADW_MONAILABEL_VENV names another folder for that environment. More words go to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv="$(realpath -m "${ADW_MONAILABEL_VENV:-.venv-monailabel}")"
bash scripts/monailabel.sh --install-only
if ! "$venv/bin/python" -c "import pytest, hypothesis" 2>/dev/null; then
    grep -E '^(pytest|hypothesis)==' requirements-dev.txt | xargs "$venv/bin/python" -m pip install -qq --disable-pip-version-check
fi
export ADW_MONAILABEL_VENV="$venv" OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
export PYTHONPATH="$PWD/scripts/label_server"
exec "$venv/bin/python" -m pytest tests/annotation "$@"
