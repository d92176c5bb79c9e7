"""Which cases a campaign sees: none of the first fold."""

from pathlib import Path

import pytest
from campaigns.cases import prepare_cases, validation_cases

from adw_components.data.dataset import read_dataset
from adw_components.data.folds import five_folds, split_cases
from adw_components.files import read_json

FOLDS = ("1", "2", "3", "4")


def hippocampus_cases() -> list[str]:
    """Those of the four folds."""
    numbers = read_json(Path(__file__).parents[2] / "scripts/campaigns/hippocampus_folds.json", "folds")
    return [f"hippocampus_{number:03}" for cases in numbers.values() for number in cases]


def test_four_folds_of_52_cases_are_what_the_real_data_hold(real_dataset: Path) -> None:
    assert sorted(hippocampus_cases()) == list(read_dataset(real_dataset).case_ids)


def test_folds_of_task04_are_known_with_and_without_the_first() -> None:
    known = hippocampus_cases()
    assert len(known) == len(set(known)) == 208
    given = validation_cases(known)
    assert {fold: len(cases) for fold, cases in given.items()} == dict.fromkeys(FOLDS, 52)
    # Whatever the cases of the first fold are called, they are in none.
    assert validation_cases([*known, "hippocampus_999"]) == given


def test_other_data_have_the_folds_of_nnunet() -> None:
    ids = [f"case_{number}" for number in range(12)]
    assert validation_cases(ids) == {fold: five_folds(ids)[int(fold)].validation for fold in FOLDS}


def test_the_first_fold_is_not_in_the_folder(generated_dataset: Path, tmp_path: Path) -> None:
    ids = read_dataset(generated_dataset).case_ids
    aside = set(five_folds(ids)[0].validation)
    cases = prepare_cases(generated_dataset, tmp_path)
    seen = read_dataset(cases.dataset_dir)
    assert set(seen.case_ids) == set(ids) - aside and aside
    assert {path.name for path in (cases.dataset_dir / "labelsTr").iterdir()} == {
        f"{name}.nii.gz" for name in seen.case_ids
    }
    for fold in FOLDS:
        split = split_cases(seen.case_ids, fold=int(fold), split_file=cases.split_file)
        assert set(split.training) | set(split.validation) == set(seen.case_ids)
    assert prepare_cases(generated_dataset, tmp_path) == cases


def test_a_folder_without_other_cases_is_used_as_it_is(real_dataset: Path, tmp_path: Path) -> None:
    assert prepare_cases(real_dataset, tmp_path).dataset_dir == real_dataset.resolve()
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("fold", FOLDS)
def test_folds_are_those_of_nnunets_splits(real_dataset: Path, tmp_path: Path, fold: str) -> None:
    """The facts that came with the data, made from nnU-Net's own splits_final.json."""
    facts = real_dataset.parents[1] / "facts" / "hippocampus_folds.json"
    if not facts.exists():
        pytest.skip("the folds of nnU-Net are not beside the data")
    cases = prepare_cases(real_dataset, tmp_path)
    ours = split_cases(hippocampus_cases(), fold=int(fold), split_file=cases.split_file)
    assert ours == split_cases(hippocampus_cases(), fold=int(fold), split_file=facts)
