"""What is misspelt on our command line is one line, and no command runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from adw_components import __main__ as program
from adw_components import commands
from adw_components.__main__ import PROGRAM, Commands
from adw_components.command_line import checked
from adw_components.errors import UserError


class Toy:
    """Two commands."""

    def plan(self, output: str, memory_gb: float = 8.0, mode: str = "", shift: float = 0) -> str:
        """Plan."""
        return output

    def build(self, check: bool = False) -> str:
        """Build."""
        return "built"

    def _hidden(self) -> None: ...


def toy(line: str) -> list[str]:
    return checked(Toy, line.split(), program="toy")


@pytest.mark.parametrize(
    "line",
    [
        *(
            "",
            "--help",
            "-h",
            "plan out.json",
            "build",
            "build --check",
            "build --check=true",
            "build -c",
            "build True",
        ),
        *("plan out.json --memory_gb 8", "plan out.json --memory-gb=8", "plan --output=out.json 8 fast -3"),
        *("plan -o out.json --shift -3", "plan -o out.json --shift -.5", "plan out.json --mode [1,-2]", "plan [a,b]"),
        *("plan out.json --mode=--x", "plan out.json -- --trace", "-- --help"),
    ],
)
def test_what_a_command_knows_passes_unchanged(line: str) -> None:
    assert toy(line) == line.split()


@pytest.mark.parametrize("line", ["plan --help", "plan -h", "plan out.json --memory 8 --help", "build --chek -h"])
def test_help_runs_no_command(line: str) -> None:
    assert toy(line) == [line.split()[0], "--help"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("plan out.json --memory 8", r"^--memory is no option of plan; did you mean --memory_gb\?$"),
        ("plan out.json --memory=8", r"^--memory is no option of plan; did you mean --memory_gb\?$"),
        ("plan out.json --Memory-Gb 8", r"^--Memory-Gb is no option of plan; did you mean --memory_gb\?$"),
        ("build --chek", r"^--chek is no option of build; did you mean --check\?$"),
        ("build -chek", r"^-chek is no option of build; did you mean --check\?$"),
        ("build --nocheck", r"^--nocheck is no option of build; did you mean --check\?$"),
        ("build --zebra 1", "^--zebra is no option of build; toy build --help lists them$"),
        ("build --chek --zebra", "--chek is no option .*; --zebra is no option"),
        ("plan out.json -m 8", "^-m is no option of plan; "),  # memory_gb or mode
        ("plann out.json", "^the first word must be a command, got plann; there are plan, build$"),
        ("--check build", "^the first word must be a command, got --check; there are plan, build$"),
        ("plan", "^plan needs --output; toy plan --help lists them$"),
        ("plan --memory_gb 8", "^plan needs --output; "),
        ("plan --output", "^--output needs a value, such as --output ...; "),
        ("plan out.json --memory_gb --mode fast", "^--memory_gb needs a value"),
        ("_hidden", "must be a command, got _hidden"),
        ("build a b c", "^build takes check, got b c besides; quote a value that has spaces$"),
        ("build --check true upper", "^build takes check, got upper besides; "),
        ("plan out.json --mode [1, 2, 3] 4 5", "plan takes output, memory_gb, mode, shift, got 4 5 besides"),
    ],
)
def test_what_it_does_not_know_is_one_line(line: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        toy(line)


@pytest.mark.parametrize(
    "words",
    [
        ["plan", "plan.json", "--dataset_dir", "/data", "--memory", "8"],
        ["build", "--chek"],
        ["describe", "x.json", "--patch", "[40,56,40]"],
        ["bild"],
    ],
)
def test_no_command_of_ours_runs(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*_: object, **__: object) -> None:
        raise AssertionError("a command ran")

    for module, name in ((program, "write_plan"), (program, "build_bundles"), (commands, "kind_of")):
        monkeypatch.setattr(module, name, run)
    monkeypatch.setattr("sys.argv", ["adw", *words])
    with pytest.raises(SystemExit) as caught:
        program.main()
    error = capsys.readouterr().err
    assert caught.value.code == 1 and error.startswith("error: ") and error.count("\n") == 1


def test_every_option_of_every_command_is_known() -> None:
    for name in ("plan", "describe", "build", "export", "report", "synthesize"):
        options = [f"--{option}=1" for option in getattr(Commands, name).__annotations__ if option != "return"]
        assert checked(Commands, [name, *options], program=PROGRAM) == [name, *options]


def test_help_and_a_command_work_from_outside(tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "adw_components", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)

    asked = run("plan", "plan.json", "--help")
    assert asked.returncode == 0 and "--memory_gb" in asked.stdout + asked.stderr
    made = run("synthesize", "msd", "--cases=1", "--test-cases=0", "--size", "[24,24,24]", "--modality", "[MRI]")
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "msd" / "dataset.json").is_file()
