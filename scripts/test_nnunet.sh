#!/usr/bin/env bash
# The outside check of scripts/campaign.py in miniature: nnU-Net v2 itself, in its own environment. More words go to pytest.
set -euo pipefail
ADW_NNUNET_PYTHON="$(bash "$(dirname "${BASH_SOURCE[0]}")/nnunet.sh")"
export ADW_NNUNET_PYTHON OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" ADW_REQUIREMENTS=requirements-dev.txt
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
exec python -m pytest tests/campaign/test_outside_check.py "$@"
