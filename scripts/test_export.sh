#!/usr/bin/env bash
# Exported bundles as somebody meets them who has no repository: four are trained a little, exported twice, served, downloaded
# and run, in a virtual environment that holds only what their metadata name. It takes some minutes, and is run by hand:
#
#   bash scripts/test_export.sh [FOLDER]      FOLDER keeps everything; without it a temporary folder is removed at the end
#
# ADW_PYTHON names a Python that has this package, instead of the virtual environment that is made for it; ADW_EXPORT_VENV a
# folder for the fresh environment, to keep it for the next time. One line a check; the first failure ends it.
set -euo pipefail
given="${1:+$(realpath -m "$1")}"
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
names=(hippocampus_mri_adwunet_segmentation prostate_mri_adwunet_segmentation braintumour_mri_adwunet_segmentation
    hippocampus_mri_adwunet_deepedit) # the last trains what the first has searched
clicks_of() { # clicks_of NAME: few corrections, for a bundle that evaluates them
    case "$1" in *deepedit*) echo "--clicks [0,1]" ;; esac
}
small=(--max_epochs 1 --iterations_per_epoch 1 --batch_size 1)

# In the repository: data, a derived network, its weights, its evaluation, two exports.
python="$repository_python"
for name in "${names[@]}"; do
    bundle="$repository/bundles/$name"
    task="$(field "$bundle/configs/plan.json" 'it["dataset"]["name"]')"
    size="$(field "$bundle/configs/quick.json" '[size + 5 for size in it["patch_size"]]')"
    data="$work/data/$task" runs="$work/runs/$name"
    rm -rf "$data" "$runs" "$work/one/$name" "$work/two/$name"
    check "$name: synthesize" "$python" -m adw_components synthesize --task "$task" --cases 5 --test_cases 1 \
        --size "$size" --output "$data"
    cd "$bundle"
    common=(--dataset_dir "$data" --cache_dir "$runs/cache")
    searched="$work/runs/${name/deepedit/segmentation}/search/architecture.json"
    if [ "$name" = "${name/deepedit/}" ]; then
        check "$name: search" monai run search --config_file "['configs/search.json','configs/quick.json']" "${common[@]}" \
            --output_dir "$runs/search" "${small[@]}"
    fi
    check "$name: train" monai run train --config_file "['configs/train.json','configs/quick.json']" "${common[@]}" \
        --output_dir "$runs/train" --architecture_path "$searched" "${small[@]}"
    check "$name: evaluate" monai run evaluate --config_file configs/evaluate.json "${common[@]}" \
        --output_dir "$runs/evaluate" --model_dir "$runs/train" --device cpu --num_workers 0 $(clicks_of "$name")
    cd "$repository"
    for folder in one two; do
        check "$name: export $folder" "$python" -m adw_components export "bundles/$name" --output "$work/$folder" \
            --weights "$runs/train/model.pt" --evaluation "$runs/evaluate"
    done
    check "$name: the two exports have the same bytes" cmp "$work/one/$name.zip" "$work/two/$name.zip"
done

# Without it: what the metadata name, and nothing else.
unset PYTHONPATH
metadata="$work/one/${names[0]}/configs/metadata.json"
fresh_environment "$metadata"
serve "$work/one"

schema="$work/schema.json" url="$(field "$metadata" 'it["schema"]')"
if ! "$python" -c "
import sys, urllib.request
open(sys.argv[2], 'wb').write(urllib.request.urlopen(sys.argv[1], timeout=10).read())" "$url" "$schema" 2>/dev/null; then
    echo "note    the published schema is out of reach: tests/export/metadata_schema.json, in our own words, stands in"
    cp "$repository/tests/export/metadata_schema.json" "$schema"
fi
rm -rf "$work/downloads"
for name in "${names[@]}"; do
    check "$name: download" monai download --name "$name" --url "http://127.0.0.1:$port/$name.zip" --bundle_dir "$work/downloads"
    cd "$work/downloads/$name"
    task="$(field configs/plan.json 'it["dataset"]["name"]')"
    data="$work/data/$task" plain=(--device cpu --num_workers 0)
    check "$name: infer" monai run infer --config_file configs/inference.json --dataset_dir "$data" "${plain[@]}"
    check "$name: infer wrote its label map" test -s "$(echo runs/predictions/*.nii.gz)"
    check "$name: evaluate" monai run evaluate --config_file configs/evaluate.json --dataset_dir "$data" "${plain[@]}" \
        $(clicks_of "$name")
    check "$name: evaluate gives the mean Dice of the metadata" test \
        "$(field runs/evaluate/summary.json 'round(it["mean_dice"], 4)')" = "$(field configs/metadata.json 'it["eval_metrics"]["mean_dice"]')"
    check "$name: train" monai run train --config_file "['configs/train.json','configs/quick.json']" --dataset_dir "$data" "${small[@]}"
    check "$name: verify_metadata" monai verify_metadata --meta_file configs/metadata.json --filepath "$schema"
    check "$name: verify_net_in_out" monai verify_net_in_out network_def --meta_file configs/metadata.json \
        --config_file configs/inference.json
    check "$name: ckpt_export" monai ckpt_export network_def --config_file configs/inference.json \
        --meta_file configs/metadata.json --ckpt_file models/model.pt --filepath models/verify_model.ts
    check "$name: python -m scripts report" "$python" -m scripts report runs
    cd "$work"
done
echo "all checks passed"
