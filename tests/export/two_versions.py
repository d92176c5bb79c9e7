"""Two exported bundles in one process, run by path: two_versions.py BUNDLE OTHER DATA FOLDER."""

import sys
from pathlib import Path

import monai.bundle

one, other, data, folder = map(Path, sys.argv[1:])
PLAIN = {"num_workers": 0, "device": "cpu", "amp": False}
TRAIN = {"max_epochs": 1, "iterations_per_epoch": 1, "batch_size": 1, "num_workers": 0, "device": "cpu", "amp": False}


def options(bundle: Path, config: str, output: str) -> dict:
    common = {"config_file": f"{bundle}/configs/{config}.json", "bundle_root": str(bundle), "dataset_dir": str(data)}
    return {**common, "output_dir": f"{folder}/{bundle.parent.name}/{output}"}


for bundle in (one, other, one):
    cache = {"cache_dir": f"{folder}/cache"}
    monai.bundle.run("infer", **options(bundle, "inference", "infer"), **PLAIN)
    monai.bundle.run("evaluate", **options(bundle, "evaluate", "evaluate"), **cache, **PLAIN)
    if bundle != one or not (folder / one.parent.name / "train").exists():
        patch = monai.bundle.ConfigParser.load_config_file(f"{bundle}/configs/quick.json")["patch_size"]
        monai.bundle.run("train", **options(bundle, "train", "train"), **cache, **TRAIN, patch_size=patch)
    print("loaded", sys.modules["scripts"].__version__)

# Both are made before either runs.
made = [
    monai.bundle.create_workflow(run_id="infer", **options(each, "inference", "workflow"), **PLAIN)
    for each in (one, other)
]
for workflow in made:
    workflow.run()
    workflow.finalize()
    print("ran", sys.modules["scripts"].__version__)

# As MONAI Label does it: a parser a bundle; before every step the bundle goes on the path and `scripts` is unloaded.
parsers = {}
for bundle in (one, other):
    parsers[bundle] = monai.bundle.ConfigParser()
    parsers[bundle].read_config(bundle / "configs" / "inference.json")
    parsers[bundle]["bundle_root"] = str(bundle)
for key in ("network_def", "preprocessing", "inferer", "postprocessing"):
    for bundle, parser in parsers.items():
        sys.path.insert(0, str(bundle))
        for name in [name for name in sys.modules if name == "scripts" or name.startswith("scripts.")]:
            del sys.modules[name]
        parsed = parser.get_parsed_content(key, instantiate=True)
        sys.path.remove(str(bundle))
        if key in ("network_def", "inferer"):
            print("code", type(parsed).__init__.__code__.co_filename)
