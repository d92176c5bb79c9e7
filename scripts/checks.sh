# Sourced by scripts that check an exported bundle, with given: the folder that keeps everything, or nothing. It sets repository, its
# repository_python (ADW_PYTHON, or that of the environment that is made then), and work, a folder that goes when it was not given.

if [ -n "${ADW_PYTHON:-}" ]; then
    repository_python="$ADW_PYTHON"
    cd "$(dirname "${BASH_SOURCE[0]}")/.."
else
    source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
    repository_python="$(command -v python)"
fi
repository="$PWD" work="${given:-$(mktemp -d)}" server=""
mkdir -p "$work"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-2}" PYTHONWARNINGS=ignore
finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
    if [ -z "$given" ]; then rm -rf "$work"; fi
}
trap finish EXIT

check() { # check WHAT COMMAND...: one line, and the end of what the command said if it fails
    local what="$1" started=$SECONDS
    shift
    if "$@" >"$work/log" 2>&1; then
        echo "ok      $what ($((SECONDS - started)) s)"
    else
        echo "FAILED  $what"
        tail -n 15 "$work/log"
        exit 1
    fi
}
monai() { "$python" -m monai.bundle "$@"; }
field() { # field FILE EXPRESSION: of the JSON object `it`
    "$repository_python" -c "import json, sys; it = json.load(open(sys.argv[1])); print($2)" "$1"
}
fresh_environment() { # fresh_environment METADATA: what it names and nothing else; python is that environment's then
    local venv="${ADW_EXPORT_VENV:-$work/venv}" packages
    mapfile -t packages < <(field "$1" '"\n".join(
        ["torch==" + it["pytorch_version"], "monai==" + it["monai_version"], "numpy==" + it["numpy_version"]]
        + [name + "==" + version for name, version in it["required_packages_version"].items()])')
    [ -x "$venv/bin/python" ] || "$repository_python" -m venv "$venv"
    check "environment: ${packages[*]}" "$venv/bin/python" -m pip install --disable-pip-version-check "${packages[@]}"
    python="$venv/bin/python"
    cd "$work"
    check "environment: no adw_components" "$python" -c "
import importlib.util, sys; sys.exit(importlib.util.find_spec('adw_components') is not None)"
}
serve() { # serve FOLDER: over HTTP, on a free port
    port="$("$python" -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")"
    "$python" -m http.server "$port" --bind 127.0.0.1 --directory "$1" >"$work/server.log" 2>&1 &
    server=$!
    check "server on port $port" "$python" -c "
import time, urllib.request
for _ in range(100):
    try:
        urllib.request.urlopen('http://127.0.0.1:$port/model_info.json'); break
    except OSError:
        time.sleep(0.1)
else:
    raise SystemExit('no answer')"
}
