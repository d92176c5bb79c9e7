#!/usr/bin/env bash
# Lint, types and all tests, in a virtual environment that is made if needed.
# With real data: ADW_MSD_ROOT=folder that holds Task04_Hippocampus.
set -euo pipefail
export ADW_REQUIREMENTS=requirements-dev.txt
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

if [ -z "${ADW_MSD_ROOT:-}" ] && [ -d ../shared/data/Task04_Hippocampus ]; then
    export ADW_MSD_ROOT="$PWD/../shared/data"
fi
ruff check .
ruff format --check .
mypy
python -m pytest "$@"
