#!/usr/bin/env bash
# From nothing to a searched, retrained and evaluated network, at a size that a CPU carries in minutes.
#
#   bash scripts/quickstart.sh                                     on generated data
#   DATASET_DIR=/data/Task04_Hippocampus bash scripts/quickstart.sh   on your own copy of MSD Task04
#
# OUTPUT_DIR (default: runs/quickstart) holds all runs. Run it again after a stop: it goes on where it was.
set -euo pipefail
given_dataset="${DATASET_DIR:+$(realpath "$DATASET_DIR")}"
output="$(realpath -m "${OUTPUT_DIR:-$(dirname "${BASH_SOURCE[0]}")/../runs/quickstart}")"
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
export PYTHONWARNINGS=ignore

dataset="${given_dataset:-$output/data/Task04_Hippocampus}"
if [ -z "$given_dataset" ] && [ ! -d "$dataset" ]; then
    echo "== data: 24 generated cases"
    python -m adw_components synthesize --task Task04_Hippocampus --cases 24 --output "$dataset"
fi

cd bundles/hippocampus_mri_adwunet_segmentation
bundle() { # bundle ID CONFIG FOLDER OPTIONS...
    local id="$1" config="$2" folder="$3"
    shift 3
    echo "== $id"
    python -m monai.bundle run "$id" --config_file "$config" --dataset_dir "$dataset" --output_dir "$output/$folder" "$@"
}
started=$SECONDS
bundle search "['configs/search.json','configs/quick.json']" search --resume true
bundle train "['configs/train.json','configs/quick.json']" train --resume true \
    --architecture_path "$output/search/architecture.json" --max_epochs 30 --iterations_per_epoch 30 --val_interval 5
model=(--model_dir "$output/train" --device cpu --num_workers 0)
bundle evaluate configs/evaluate.json evaluate "${model[@]}"
images="$dataset"
[ -d "$dataset/imagesTs" ] || images="$dataset/imagesTr"
dataset="$images" bundle infer configs/inference.json predictions "${model[@]}"
cd - >/dev/null

echo "== report"
python -m adw_components describe "$output/search/architecture.json"
python -m adw_components report "$output"
python - "$output/evaluate/summary.json" <<'PYTHON'
import json, sys
summary = json.load(open(sys.argv[1]))
classes = ", ".join(f"{name} {values['mean']:.3f}" for name, values in summary["dice"].items())
print(f"mean Dice on {summary['n_cases']} validation cases: {summary['mean_dice']:.3f} ({classes})")
PYTHON
echo "predictions: $output/predictions"
echo "took $((SECONDS - started)) s"
