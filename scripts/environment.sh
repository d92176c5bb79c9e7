# Sourced by the other scripts: makes the virtual environment if it is missing or out of date, and activates it.
# ADW_VENV names another folder for it; ADW_REQUIREMENTS another list of packages.

cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv="${ADW_VENV:-.venv}"
requirements="${ADW_REQUIREMENTS:-requirements.txt}"

if ! python3.11 --version >/dev/null 2>&1 && ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "error: Python 3.11 or later is needed; install it and run this again" >&2
    exit 1
fi
python="$(command -v python3.11 || command -v python3)"

stamp="$venv/installed-$(basename "$requirements")"
wanted="$(cat requirements*.txt pyproject.toml | cksum)"
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
    echo "installing $requirements into $venv (minutes, the first time)"
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check -r "$requirements"
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --editable .
    echo "$wanted" > "$stamp"
fi
export PATH="$PWD/$venv/bin:$PATH"
[ "${venv#/}" = "$venv" ] || export PATH="$venv/bin:$PATH"
