"""Command line: python -m adw_components describe | report | synthesize."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import fire

from .describe import describe as describe_architecture
from .errors import UserError, exit_with
from .report import build_report
from .synthesis import synthesize as synthesize_dataset


class Commands:
    """Tools around AdwU-Net's bundles; searching and training run through `python -m monai.bundle run`."""

    def describe(
        self,
        architecture: str,
        in_channels: int | None = None,
        out_channels: int | None = None,
        patch_size: Sequence[int] | None = None,
    ) -> str:
        """Print what an architecture.json holds: blocks, parameters, FLOPs beside nnU-Net's default, provenance.

        Args:
            architecture: path of the JSON file.
            in_channels: channels of the image, if the file does not tell.
            out_channels: classes with background, if the file does not tell.
            patch_size: at which FLOPs are counted, such as "[40,56,40]", if the file does not tell.
        """
        return describe_architecture(
            architecture, in_channels=in_channels, out_channels=out_channels, patch_size=patch_size
        )

    def report(self, run_dir: str, output: str | None = None) -> str:
        """Write one self-contained HTML page about a search, a retraining and an evaluation.

        Args:
            run_dir: folder of one run, or the folder that holds several.
            output: the page; RUN_DIR/report.html by default.
        """
        return f"report: {build_report(run_dir, output=output)}"

    def synthesize(
        self, output: str, task: str = "Task04_Hippocampus", cases: int = 24, seed: int = 0, test_cases: int = 4
    ) -> str:
        """Write an MSD folder of generated volumes.

        Args:
            output: the folder, which must not exist or be empty.
            task: the task whose data are imitated.
            cases: number of training cases.
            seed: of the random numbers; the same seed gives the same bytes.
            test_cases: number of images without label.
        """
        folder = synthesize_dataset(task, cases=cases, output_dir=output, seed=seed, test_cases=test_cases)
        return f"dataset: {folder}"


def main() -> None:
    """Run one command; a user's mistake is one line."""
    try:
        fire.Fire(Commands, name="python -m adw_components")
    except UserError as error:
        exit_with(error)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
