"""The commands that work wherever this package lies, in a repository or as the scripts of an exported bundle."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import fire

from .command_line import checked, keep_texts
from .describe import describe as describe_architecture
from .describe_plan import describe_plan, kind_of
from .errors import exit_with, line_for, print_any_letter
from .report import build_report
from .synthesis import synthesize as synthesize_dataset


class BundleCommands:
    """Tools for a bundle and its runs; searching and training run through `python -m monai.bundle run`."""

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


def run_command(commands: type, program: str) -> None:
    """Run the command of `commands` that this process was started with; a user's mistake is one line."""
    print_any_letter()
    try:
        keep_texts(commands)
        fire.Fire(commands, command=checked(commands, sys.argv[1:], program=program), name=program)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        line = line_for(error)
        if line is None:
            raise
        exit_with(line)
