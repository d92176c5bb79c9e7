"""Command line: python -m adw_components plan | describe | build | report | synthesize."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import fire

from .builder.command import build as build_bundles
from .command_line import checked
from .describe import describe as describe_architecture
from .describe_plan import describe_plan, kind_of
from .errors import UserError, exit_with
from .planning.command import write_plan
from .report import build_report
from .synthesis import synthesize as synthesize_dataset

PROGRAM = "python -m adw_components"


class Commands:
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

    def describe(
        self,
        path: str,
        in_channels: int | None = None,
        out_channels: int | None = None,
        patch_size: Sequence[int] | None = None,
    ) -> str:
        """Print what an architecture.json or a plan.json holds.

        Of an architecture: blocks, parameters, FLOPs beside nnU-Net's default, provenance. Of a plan: its values, and
        why each was chosen.

        Args:
            path: of the JSON file.
            in_channels: of an architecture: channels of the image, if the file does not tell.
            out_channels: of an architecture: classes with background, if the file does not tell.
            patch_size: of an architecture: at which FLOPs are counted, such as "[40,56,40]", if the file does not tell.
        """
        if kind_of(path) == "plan":
            return describe_plan(path)
        return describe_architecture(path, in_channels=in_channels, out_channels=out_channels, patch_size=patch_size)

    def build(
        self,
        plan: str | None = None,
        name: str | None = None,
        output: str | None = None,
        check: bool = False,
        common: str | None = None,
    ) -> str:
        """Write the bundle of a plan, or the ten bundles of this repository anew.

        Args:
            plan: a plan.json, as the command plan writes it; without it the ten bundles are built.
            name: of the plan's bundle, such as kidney_ct_adwunet_segmentation.
            output: folder in which the bundle's folder is made.
            check: fail, with the differences, where a file of the ten bundles is not what its source gives.
            common: folder of the bodies; bundles/common by default.
        """
        return build_bundles(plan=plan, name=name, output=output, check=check, common=common)

    def report(self, run_dir: str, output: str | None = None) -> str:
        """Write one self-contained HTML page about a search, a retraining and an evaluation.

        Args:
            run_dir: folder of one run, or the folder that holds several.
            output: the page; RUN_DIR/report.html by default.
        """
        return f"report: {build_report(run_dir, output=output)}"

    def synthesize(
        self,
        output: str,
        task: str | None = None,
        cases: int = 24,
        seed: int = 0,
        test_cases: int = 4,
        size: float | Sequence[int] | None = None,
        modality: str | Sequence[str] | None = None,
        labels: str | Sequence[str] | None = None,
        spacing: Sequence[float] | None = None,
        empty_labels: int = 0,
    ) -> str:
        """Write an MSD folder of generated volumes: of a task, or with --modality of a dataset that is nobody's task.

        Args:
            output: the folder, which must not exist or be empty.
            task: the task of the MSD whose data are imitated; Task04_Hippocampus by default.
            cases: number of training cases.
            seed: of the random numbers; the same seed gives the same bytes.
            test_cases: number of images without label.
            size: voxels along x, y, z, such as "[64,64,40]", or a factor of the real size; a quarter by default.
            modality: names of the channels, such as "[MRI,CT]".
            labels: names of the classes without background, such as "[organ,lesion]".
            spacing: mm, such as "[0.9,0.9,3.0]", or several that the cases take by turns.
            empty_labels: number of cases without a labelled voxel.
        """
        is_custom = any(setting not in (None, 0) for setting in (modality, labels, spacing, empty_labels))
        folder = synthesize_dataset(
            task or (None if is_custom else "Task04_Hippocampus"),
            cases=cases,
            output_dir=output,
            seed=seed,
            test_cases=test_cases,
            size=size,
            modality=modality,
            labels=labels,
            spacing=spacing,
            empty_labels=empty_labels,
        )
        return f"dataset: {folder}"


def main() -> None:
    """Run one command; a user's mistake is one line."""
    try:
        fire.Fire(Commands, command=checked(Commands, sys.argv[1:], program=PROGRAM), name=PROGRAM)
    except UserError as error:
        exit_with(error)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
