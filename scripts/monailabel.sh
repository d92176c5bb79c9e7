#!/usr/bin/env bash
# Start MONAI Label with bundles of this repository on a folder of images; docs/monailabel.md says what one can do then.
#
#   bash scripts/monailabel.sh --studies FOLDER [--bundles A,B] [--home FOLDER] [--host ADDRESS] [--port NUMBER] [--fresh] [--prepare-only]
#
# --studies       folder of NIfTI images; labels are saved in its subfolder labels/
# --bundles       names of folders in bundles/, or paths of bundles elsewhere; all of bundles/ that have weights by default
# --home          where the app and its copies of the bundles are kept (runs/monailabel)
# --host, --port  127.0.0.1 and 8000; 0.0.0.0 lets other machines in, and nobody is asked for a password
# --fresh         serve the weights that are in the bundles now; those of the copies, and their trainings, are set aside
# --prepare-only  install, copy, and stop before the server
# --install-only  install, and nothing else
#
# MONAI Label gets a virtual environment of its own, .venv-monailabel or ADW_MONAILABEL_VENV, made at the first start.
set -euo pipefail
fail() { echo "error: $*" >&2; exit 1; }
here="$PWD"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
absolute() { case "$1" in /*) echo "$1" ;; *) echo "$here/$1" ;; esac; }

studies="" bundles="" home="$root/runs/monailabel" host=127.0.0.1 port=8000 fresh="" prepare_only="" install_only=""
while [ $# -gt 0 ]; do
    case "$1" in
        --fresh) fresh=yes; shift; continue ;;
        --prepare-only) prepare_only=yes; shift; continue ;;
        --install-only) install_only=yes; shift; continue ;;
        -h | --help) sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; exit 0 ;;
        --studies | --bundles | --home | --host | --port) [ $# -gt 1 ] || fail "$1 needs a value" ;;
        *) fail "unknown option $1; --help lists them" ;;
    esac
    case "$1" in
        --studies) studies="$(absolute "$2")" ;;
        --bundles) bundles="$2" ;;
        --home) home="$(absolute "$2")" ;;
        --host) host="$2" ;;
        --port) port="$2" ;;
    esac
    shift 2
done

weights() { [ -f "$1/models/model.pt" ]; }
if [ -z "$install_only" ]; then
    how="retrain it (its docs/README.md) and copy model.pt, architecture.json and settings.json of the run to its models/"
    [ -n "$studies" ] || fail "--studies must name a folder of images"
    [ -d "$studies" ] || fail "--studies must be a folder of images, but $studies is not there; check the path"
    [[ "$port" =~ ^[0-9]+$ ]] || fail "--port must be a number, got $port"
    if [ -z "$bundles" ]; then
        for folder in "$root"/bundles/*/; do
            if weights "$folder"; then bundles="$bundles,$(basename "$folder")"; fi
        done
        [ -n "$bundles" ] || fail "no bundle in $root/bundles has weights (models/model.pt); name one with --bundles and $how"
    fi
    folders=() names=""
    IFS=, read -ra given <<< "${bundles#,}"
    for bundle in "${given[@]}"; do
        folder="$root/bundles/$bundle"
        case "$bundle" in */*) folder="$(absolute "${bundle%/}")" ;; esac
        [ -f "$folder/configs/inference.json" ] || fail "$bundle is no bundle; there are: $(cd "$root/bundles" && echo *_*)"
        weights "$folder" || fail "bundle $bundle has no weights (models/model.pt); $how"
        name="$(basename "$folder")"
        case "$names," in *",$name,"*) fail "--bundles must have different folder names, got $name twice; rename one" ;; esac
        folders+=("$folder") names="$names,$name"
    done
fi

venv="$(cd "$root" && realpath -m "${ADW_MONAILABEL_VENV:-.venv-monailabel}")"
stamp="$venv/installed-monailabel"
wanted="$(cat "$root"/requirements-monailabel*.txt "$root/pyproject.toml" | cksum)"
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
    python="$(command -v python3.11 || command -v python3)" || fail "Python 3.11 or later is needed"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python 3.11 or later is needed; install it"
    echo "installing MONAI Label into $venv (minutes, the first time)"
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
    install() { "$venv/bin/python" -m pip install -qq --disable-pip-version-check "$@"; }
    install -r "$root/requirements-monailabel.txt"
    install --no-deps -r "$root/requirements-monailabel-no-deps.txt"
    install --no-deps --editable "$root"
    echo "$wanted" > "$stamp"
fi
[ -z "$install_only" ] || exit 0

# Files of a bundle's weights, by name: MONAI Label would offer whatever else is called .pt. What is whole is renamed last.
take_weights() { # BUNDLE COPY
    local part
    mkdir -p "$2/models"
    # An exported bundle has the architecture of its weights in configs/, which the next start replaces.
    for part in configs/architecture.json models/architecture.json models/settings.json models/model.ts; do
        if [ -f "$1/$part" ]; then cp "$1/$part" "$2/models/"; fi
    done
    cp "$1/models/model.pt" "$2/models/model.pt.part"
    cksum < "$1/models/model.pt" > "$2/models/taken.cksum"
    mv "$2/models/model.pt.part" "$2/models/model.pt"
}
# Whether the copy's weights come from those that the bundle has now; those that somebody has put into both do, too.
taken() { # BUNDLE COPY
    local now
    now="$(cksum < "$1/models/model.pt")"
    if cmp -s "$1/models/model.pt" "$2/models/model.pt"; then echo "$now" > "$2/models/taken.cksum"; fi
    [ "$(cat "$2/models/taken.cksum" 2>/dev/null)" = "$now" ]
}
set_aside() { # COPY
    local number=1 part
    while [ -e "$1/set_aside_$number" ]; do number=$((number + 1)); done
    mkdir "$1/set_aside_$number"
    for part in models runs; do
        if [ -e "$1/$part" ]; then mv "$1/$part" "$1/set_aside_$number/$part"; fi
    done
    echo "set aside: $1/set_aside_$number"
}

# The stock app of MONAI Label, and scribbles.
app="$home/monaibundle"
mkdir -p "$app/model"
cp -r "$venv/monailabel/sample-apps/monaibundle/lib" "$app/"
cp "$venv/monailabel/sample-apps/monaibundle/main.py" "$app/stock_app.py"
cp "$root/scripts/label_server/main.py" "$app/main.py"
for folder in "${folders[@]}"; do
    # The server works on a copy: fine-tuning replaces weights there, and nothing in the bundle itself.
    copy="$app/model/$(basename "$folder")"
    mkdir -p "$copy"
    for part in configs docs scripts LICENSE; do
        if [ -e "$folder/$part" ]; then rm -rf "${copy:?}/$part"; cp -r "$folder/$part" "$copy/$part"; fi
    done
    echo "bundle: $copy"
    if [ -n "$fresh" ] && weights "$copy"; then set_aside "$copy"; fi
    if ! weights "$copy"; then
        take_weights "$folder" "$copy"
    elif ! taken "$folder" "$copy"; then
        echo "  the weights served are those of the copy, from an earlier start or a fine-tuning; $folder/models/model.pt" \
            "is another by now: --fresh takes it, and sets the copy's models/ and runs/ aside"
    fi
done
[ -z "$prepare_only" ] || exit 0

export PYTHONPATH="$root/scripts/label_server"
# Without a list MONAI Label lets the pages of every site use the server through the browser of whoever visits them.
export MONAI_LABEL_CORS_ORIGINS="${MONAI_LABEL_CORS_ORIGINS:-[\"http://$host:$port\"]}"
cd "$home"
echo "MONAI Label: http://$host:$port on $studies"
exec "$venv/bin/python" "$root/scripts/label_server/start.py" start_server --app "$app" --studies "$studies" --host "$host" --port "$port" \
    --conf models "${names#,}" --conf zoo_source ngc --conf sam2 false
