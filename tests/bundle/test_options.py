"""Misspelt options are refused, with the closest name."""

import json
from pathlib import Path

import pytest

from adw_components.bundle.options import closest, require_known_options
from adw_components.errors import UserError


@pytest.fixture()
def configs(tmp_path: Path) -> list[str]:
    (tmp_path / "search.json").write_text(json.dumps({"max_epochs": 1, "train": {"trainer": {"max_epochs": 5}}}))
    (tmp_path / "quick.json").write_text(json.dumps({"base_widths": [2]}))
    return [str(tmp_path / "search.json"), str(tmp_path / "quick.json")]


def test_known_options_of_all_configs_pass(configs: list[str]) -> None:
    options = ["--config_file", str(configs), "--max_epochs", "3", "--base_widths=[4]", "--train::trainer::x", "1"]
    require_known_options(["run", "search", *options, "--tracking", "mlflow", "--experiment_name", "mine"])


@pytest.mark.parametrize("word", ["--max_epoch", "--max_epoch=3", "-max_epoch", "-max_epoch=3"])
def test_a_misspelt_option_is_named_with_the_closest(configs: list[str], word: str) -> None:
    with pytest.raises(UserError, match=r"--max_epoch is no option; did you mean --max_epochs\?"):
        require_known_options(["run", "--config_file", configs[0], word, "3"])


def test_a_key_of_a_config_that_was_not_given_is_unknown(configs: list[str]) -> None:
    with pytest.raises(UserError, match="base_widths"):
        require_known_options(["run", "--config_file", configs[0], "--base_widths", "[2]"])


def test_another_program_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["pytest", "--config_file", "nowhere.json"])
    require_known_options()


def test_what_is_like_nothing_is_told_where_options_are_listed() -> None:
    assert closest("batchsize", ["batch_size", "seed"], "x lists them") == "; did you mean --batch_size?"
    assert closest("zebra", ["batch_size", "seed"], "x lists them") == "; x lists them"


@pytest.mark.parametrize("mark", ["::", "#"])
def test_a_misspelt_option_further_down_is_named_too(configs: list[str], mark: str) -> None:
    with pytest.raises(UserError, match=r"is no option; did you mean --train::trainer::max_epochs\?"):
        require_known_options(["run", "--config_file", configs[0], f"--train{mark}trainer{mark}max_epoch", "3"])
    with pytest.raises(UserError, match=r"is no option; did you mean --train::trainer\?"):
        require_known_options(["run", "--config_file", configs[0], f"--train{mark}trainr{mark}max_epochs", "3"])


def test_a_misspelt_option_in_an_args_file_is_named(configs: list[str], tmp_path: Path) -> None:
    (tmp_path / "args.json").write_text(json.dumps({"max_epoch": 3}))
    with pytest.raises(UserError, match="did you mean --max_epochs"):
        require_known_options(["run", "--config_file", configs[0], "--args_file", str(tmp_path / "args.json")])


def test_a_negative_number_is_no_option(configs: list[str]) -> None:
    require_known_options(["run", "--config_file", configs[0], "--max_epochs", "-1"])
