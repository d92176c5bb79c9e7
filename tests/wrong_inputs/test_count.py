"""The tables of wrong inputs hold enough of them."""

import pytest

from .test_commands import COMMANDS, wrong_records
from .test_files import IMAGES, LABELS, RESUMED, WEIGHTS
from .test_full_disk import LIMITS
from .test_options import wrong_options


def test_there_are_hundreds_over_all_commands_and_workflows(capsys: pytest.CaptureFixture[str]) -> None:
    counts = {
        "options of workflows": len(wrong_options()),
        "words of commands": len(COMMANDS),
        "records": len(wrong_records()),
        "images": 5 * len(IMAGES) - 1,
        "labels": 4 * len(LABELS),
        "weights": (5 + len(RESUMED)) * len(WEIGHTS),
        "full disks": len(LIMITS),
    }
    with capsys.disabled():
        print(f"\nwrong inputs: {counts}, {sum(counts.values())} in all")
    assert sum(counts.values()) >= 300
