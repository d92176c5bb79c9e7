#!/usr/bin/env bash
# The trained hippocampus bundle as somebody meets it who has no repository: exported, served, downloaded into a fresh environment that
# holds only what its metadata name, evaluated on real data, and used on a folder of raw images. By hand, with the real data:
#
#   bash scripts/test_shipped.sh /data/Task04_Hippocampus [FOLDER]
#
# FOLDER keeps everything; without it a temporary folder is removed at the end. ADW_PYTHON names a Python that has this package, instead of
# the environment that is made for it; ADW_EXPORT_VENV a folder for the fresh environment. One line a check; the first failure ends it.
set -euo pipefail
data="$(realpath "${1:?give the folder of Task04_Hippocampus}")" given="${2:+$(realpath -m "$2")}"
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
name=hippocampus_mri_adwunet_segmentation

python="$repository_python"
check "folds of nnU-Net, without the one that is put aside" env PYTHONPATH="$repository/scripts" "$python" -c "
import sys; from pathlib import Path; from campaigns.cases import prepare_cases; prepare_cases(Path(sys.argv[1]), Path(sys.argv[2]))" \
    "$data" "$work"
split=(--fold 1 --split_file "$work/folds.json")
check "export" "$python" -m adw_components export "bundles/$name" --output "$work/served"
metadata="$work/served/$name/configs/metadata.json"
stated="$(field "$metadata" 'it["eval_metrics"]["seen_in_training"]["mean_dice"]')"

unset PYTHONPATH
fresh_environment "$metadata"
serve "$work/served"
rm -rf "$work/downloads"
check "download" monai download --name "$name" --url "http://127.0.0.1:$port/$name.zip" --bundle_dir "$work/downloads"
cd "$work/downloads/$name"
plain=(--device cpu --num_workers 0)
check "evaluate on fold 1" monai run evaluate --config_file configs/evaluate.json --dataset_dir "$data" "${split[@]}" "${plain[@]}"
measured="$(field runs/evaluate/summary.json 'round(it["mean_dice"], 4)')"
check "mean Dice $measured is the $stated of the metadata" test "$measured" = "$stated"
mkdir -p "$work/raw"
first="$(field "$work/folds.json" 'it["1"]["validation"][0]')"
cp "$data/imagesTr/$first.nii.gz" "$work/raw/"
check "infer a folder of raw images" monai run infer --config_file configs/inference.json --dataset_dir "$work/raw" "${plain[@]}"
check "its label map is that of the evaluation" "$python" -c "
import sys, nibabel, numpy
one, other = (numpy.asarray(nibabel.load(path).dataobj) for path in sys.argv[1:])
sys.exit(not (one.max() == 2 and (one == other).all()))" "runs/predictions/$first.nii.gz" "runs/evaluate/predictions/$first.nii.gz"
echo "all checks passed"
