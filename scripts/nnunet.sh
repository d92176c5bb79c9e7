#!/usr/bin/env bash
# Install nnU-Net v2 into an environment of its own, if it is not there, and print that environment's interpreter:
#
#   python scripts/campaign.py ... --nnunet_python "$(bash scripts/nnunet.sh)"
#
# ADW_NNUNET_VENV names another folder for it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv="$(realpath -m "${ADW_NNUNET_VENV:-.venv-nnunet}")"
wanted="$(cksum < requirements-nnunet.txt)"
if [ ! -f "$venv/installed" ] || [ "$(cat "$venv/installed")" != "$wanted" ]; then
    echo "installing requirements-nnunet.txt into $venv (minutes, the first time)" >&2
    [ -x "$venv/bin/python" ] || "$(command -v python3.11 || command -v python3)" -m venv "$venv"
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check -r requirements-nnunet.txt >&2
    echo "$wanted" > "$venv/installed"
fi
echo "$venv/bin/python"
