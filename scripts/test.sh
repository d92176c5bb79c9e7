#!/usr/bin/env bash
# Lint, types, the check of the generated bundles, and all tests, in a virtual environment that is made if needed.
# With real data: ADW_MSD_ROOT=folder that holds Task04_Hippocampus. ADW_FULL_PATCH=1 adds minutes: the networks at whole patches.
# ADW_TEST_PROCESSES (2) tests run at a time, each on one thread.
set -euo pipefail
export ADW_REQUIREMENTS=requirements-dev.txt
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

if [ -z "${ADW_MSD_ROOT:-}" ] && [ -d ../shared/data/Task04_Hippocampus ]; then
    export ADW_MSD_ROOT="$PWD/../shared/data"
fi
ruff check .
ruff format --check .
mypy
python -m adw_components build --check
export OMP_NUM_THREADS=1
python -m pytest --numprocesses "${ADW_TEST_PROCESSES:-2}" --dist worksteal "$@"
