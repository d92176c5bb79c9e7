"""Command line: python -m adw_components plan | build | export | describe | report | synthesize."""

from __future__ import annotations

from .builder.command import build as build_bundles
from .commands import BundleCommands, run_command
from .describe_plan import describe_plan
from .planning.command import write_plan

PROGRAM = "python -m adw_components"


class Commands(BundleCommands):
    """Tools around AdwU-Net's bundles; searching and training run through `python -m monai.bundle run`."""

    def plan(
        self,
        output: str,
        dataset_dir: str | None = None,
        fingerprint: str | None = None,
        dataset_json: str | None = None,
        memory_gb: float = 8.0,
        workers: int | None = None,
    ) -> str:
        """Plan spacing, patch, batch, stages and normalization for a dataset by nnU-Net's rules.

        Give the data, which are then measured; or give what an earlier call measured, to plan for another memory in
        no time. Measuring writes two files beside the output PLAN.json: PLAN_fingerprint.json, and PLAN_cases.jsonl
        with a line a case, from which an interrupted call goes on.

        Args:
            output: the plan to write, such as plan.json.
            dataset_dir: MSD folder of the data, whose training cases are measured.
            fingerprint: instead: PLAN_fingerprint.json of an earlier call, or nnU-Net's dataset_fingerprint.json.
            dataset_json: with a fingerprint: the data's dataset.json, the MSD's or nnU-Net's.
            memory_gb: GPU memory that nnU-Net's default network is to fill.
            workers: processes that measure; the CPU cores by default, 8 at most. Each holds one case.
        """
        path = write_plan(
            output,
            dataset_dir=dataset_dir,
            fingerprint=fingerprint,
            dataset_json=dataset_json,
            memory_gb=memory_gb,
            workers=workers,
        )
        return f"{describe_plan(path)}\n\nplan: {path}"

    def build(
        self,
        plan: str | None = None,
        name: str | None = None,
        output: str | None = None,
        check: bool = False,
        common: str | None = None,
        interactive: bool = False,
        task: str | None = None,
    ) -> str:
        """Write the bundle of a plan or of an MSD task, or the bundles of this repository anew.

        Args:
            plan: a plan.json, as the command plan writes it; without it and a task the repository's bundles are built.
            name: of the plan's bundle, such as kidney_ct_adwunet_segmentation, or kidney_ct_adwunet_deepedit.
            output: folder in which the bundle's folder is made.
            check: fail, with the differences, where a file of the repository's bundles is not what its source gives.
            common: folder of the bodies; bundles/common by default.
            interactive: the bundle takes an annotator's clicks, for MONAI Label.
            task: instead of a plan, a task of the MSD such as Task02_Heart.
        """
        return build_bundles(
            plan=plan, name=name, output=output, check=check, common=common, interactive=interactive, task=task
        )

    def export(
        self,
        bundle: str,
        output: str,
        weights: str | None = None,
        evaluation: str | None = None,
        large_file_url: str | None = None,
        url: str | None = None,
    ) -> str:
        """Write a bundle that needs no repository: a folder, a zip file to download, and an index of these.

        The folder OUTPUT/NAME is what the MONAI Model Zoo takes, with the bundle's code in `scripts/`; NAME.zip and
        NAME_vVERSION.zip hold the whole of it, and OUTPUT/model_info.json lists them. The same input gives the same
        bytes. An earlier export is replaced; what no export wrote is left alone.

        Args:
            bundle: its folder.
            output: folder that the export goes to, beside others.
            weights: model.pt of a retraining; by default that in the bundle's own models folder, if there is one.
            evaluation: folder of an evaluation of these weights, whose Dice the metadata then give.
            large_file_url: sets files over 25 MB apart, as the zoo asks: the address of the folder they are put to.
            url: the address at which OUTPUT will be served, for the index.
        """
        # Only an export needs torch.
        from .export.command import export_bundle

        return export_bundle(
            bundle, output=output, weights=weights, evaluation=evaluation, large_file_url=large_file_url, url=url
        )


def main() -> None:
    """Run one command; a user's mistake is one line."""
    run_command(Commands, PROGRAM)


if __name__ == "__main__":
    main()
