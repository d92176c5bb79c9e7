"""What the model zoo's unit test of a bundle does, in its form; run by path: zoo_form.py BUNDLE DATA FOLDER."""

import sys
from pathlib import Path

from monai.bundle import ConfigWorkflow

bundle, data, folder = map(Path, sys.argv[1:])
TRAIN = {"max_epochs": 1, "iterations_per_epoch": 1, "batch_size": 1, "cache_dir": f"{folder}/cache"}


def workflow(kind: str, names: tuple[str, ...], run_id: str, **options: object) -> ConfigWorkflow:
    return ConfigWorkflow(
        workflow_type=kind,
        config_file=[f"{bundle}/configs/{name}.json" for name in names],
        logging_file=f"{bundle}/configs/logging.conf",
        meta_file=f"{bundle}/configs/metadata.json",
        run_id=run_id,
        bundle_root=str(bundle),
        dataset_dir=str(data),
        **options,
    )


def carry_out(made: ConfigWorkflow) -> None:
    made.initialize()
    missing = made.check_properties()
    assert not missing, missing
    made.run()
    made.finalize()


assert "adw_components" not in sys.modules
train = {"output_dir": f"{folder}/train", "architecture_path": f"{bundle}/configs/architecture.json", **TRAIN}
carry_out(workflow("train", ("train", "quick"), "run", **train))
plain = {"num_workers": 0, "device": "cpu", "amp": False}
evaluate = {"output_dir": f"{folder}/evaluate", "cache_dir": f"{folder}/cache", **plain}
if "deepedit" in bundle.name:
    evaluate["clicks"] = [0, 1]
carry_out(workflow("eval", ("evaluate",), "run", **evaluate))
carry_out(workflow("infer", ("inference",), "run", output_dir=f"{folder}/predictions", **plain))
