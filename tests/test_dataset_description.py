"""What a dataset is about: from the record, and from either form of dataset.json."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import PLAIN

from adw_components.dataset_description import DatasetDescription
from adw_components.errors import UserError

FIELDS: dict[str, Any] = {"name": "D", "modality": ["CT"], "labels": ["background", "liver"], "num_training": 3}
MSD: dict[str, Any] = {
    "name": "LIVER",
    "description": " Liver and cancer ",
    "licence": "CC-BY-SA 4.0",
    "modality": {"0": "CT"},
    "labels": {"0": "background", "1": "liver", "2": "cancer"},
    "numTraining": 131,
    "numTest": 70,
}
EVALUATED = ("$", "@", "%")  # by MONAI, at the beginning of a text in a config
NAME = PLAIN.filter(str.strip)


def names(min_size: int) -> st.SearchStrategy[tuple[str, ...]]:
    """Names that differ in more than case."""
    return st.lists(NAME, min_size=min_size, max_size=12, unique_by=lambda name: name.strip().casefold()).map(tuple)


@st.composite
def descriptions(draw: st.DrawFn) -> DatasetDescription:
    """Any description."""
    return DatasetDescription(
        name=draw(NAME.filter(lambda name: not name.strip().startswith("."))),
        modality=draw(names(1)),
        labels=draw(names(2)),
        num_training=draw(st.integers(0, 10**6)),
        num_test=draw(st.integers(0, 10**6)),
        description=draw(PLAIN),
        reference=draw(PLAIN),
        licence=draw(PLAIN),
    )


@given(descriptions())
def test_it_round_trips_through_json(dataset: DatasetDescription) -> None:
    assert DatasetDescription.from_dict(json.loads(json.dumps(dataset.to_dict()))) == dataset


@given(descriptions())
def test_both_forms_of_dataset_json_say_the_same(dataset: DatasetDescription) -> None:
    channels, labels = (
        {str(index): name for index, name in enumerate(names)} for names in (dataset.modality, dataset.labels)
    )
    texts = {name: getattr(dataset, name) for name in ("description", "reference", "licence")}
    msd = {**texts, "modality": channels, "labels": labels, "numTraining": dataset.num_training}
    read = DatasetDescription.from_dataset_json(msd, name=dataset.name)
    assert (read.modality, read.labels, read.num_training) == (dataset.modality, dataset.labels, dataset.num_training)
    assert [getattr(read, name) for name in texts] == [text.strip() for text in texts.values()]
    nnunet = {"channel_names": channels, "labels": {name: index for index, name in enumerate(dataset.labels)}}
    theirs = DatasetDescription.from_dataset_json(nnunet, name=dataset.name, cases=7)
    assert (theirs.modality, theirs.labels, theirs.num_training) == (dataset.modality, dataset.labels, 7)


def test_a_dataset_json_of_the_decathlon() -> None:
    assert DatasetDescription.from_dataset_json(MSD, name="Task03_Liver") == DatasetDescription(
        name="Task03_Liver",
        modality=("CT",),
        labels=("background", "liver", "cancer"),
        num_training=131,
        num_test=70,
        description="Liver and cancer",
        licence="CC-BY-SA 4.0",
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"numTraining": None, "training": [{}, {}]}, 9),
        ({"numTraining": 0}, 9),
        ({"numTraining": 5}, 5),
    ],
)
def test_the_count_falls_back_to_what_is_given(changes: dict[str, Any], expected: int) -> None:
    assert DatasetDescription.from_dataset_json({**MSD, **changes}, name="x", cases=9).num_training == expected


def test_without_a_count_the_listed_cases_count() -> None:
    values = {name: value for name, value in MSD.items() if name != "numTraining"}
    assert DatasetDescription.from_dataset_json({**values, "training": [{}] * 4}, name="x").num_training == 4


def test_names_are_ordered_by_number_not_as_text() -> None:
    channels = {str(index): f"c{index}" for index in sorted(range(12), key=str)}
    read = DatasetDescription.from_dataset_json({**MSD, "modality": channels}, name="x")
    assert read.modality == tuple(f"c{index}" for index in range(12))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modality": None}, "modality must map the numbers from 0 on to names, .*got None; write it as the MSD"),
        ({"modality": {}}, "modality must map the numbers from 0 on to names"),
        ({"modality": "CT"}, "modality must map the numbers from 0 on to names, .*got 'CT'"),
        ({"modality": {"first": "CT"}}, "modality must map the numbers from 0 on to names"),
        (
            {"labels": {"0": "background", "2": "x"}},
            r"labels must map .*got the numbers \[0, 2\]; number them without a gap",
        ),
        ({"labels": {"background": 0, "organ": 1, "Ignore": 2}}, "labels must be classes, got 'Ignore', which"),
        ({"labels": {"0": "background", "1": "organ", "2": "ignore"}}, "labels must be classes, got 'ignore', which"),
        ({"labels": {"background": 0, "region": [1, 2]}}, "labels must have one value each, got regions"),
        ({"labels": {"0": "background"}}, "labels must name background and at least one class, got"),
    ],
)
def test_malformed_dataset_json_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        DatasetDescription.from_dataset_json({**MSD, **changes}, name="x")
    with pytest.raises(UserError, match=r"dataset\.json must hold a JSON object, got list"):
        DatasetDescription.from_dataset_json([], name="x")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modality": []}, "dataset.modality must name at least one channel, got none"),
        ({"labels": ["background"]}, "dataset.labels must name background and at least one class"),
        ({"num_training": -1}, "dataset.num_training must be a whole number from 0 to 10000000, got -1"),
        ({"num_training": True}, "dataset.num_training must be a whole number from 0 to 10000000, got True"),
        ({"num_test": 1.5}, "dataset.num_test must be a whole number from 0 to 10000000, got 1.5"),
        ({"labels": ["background", "Liver", "liver"]}, "dataset.labels must name each but once, .* got Liver, liver;"),
        ({"labels": ["background", " "]}, "dataset.labels must not be empty, got ' '; give a name"),
        ({"modality": [""]}, "dataset.modality must not be empty, got ''; give a name"),
        ({"name": ""}, "dataset.name must not be empty, got ''; give a name"),
        ({"name": 5}, "dataset.name must be a text, got 5"),
        ({"reference": None}, "dataset.reference must be a text, got None"),
        ({"classes": 2}, r"dataset has unknown field\(s\) classes"),
    ],
)
def test_malformed_records_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        DatasetDescription.from_dict({**FIELDS, **changes})
    with pytest.raises(UserError, match=r"dataset lacks the field\(s\) name"):
        DatasetDescription.from_dict({})


@pytest.mark.parametrize("mark", EVALUATED)
@pytest.mark.parametrize("field", ["name", "modality", "labels", "description", "reference", "licence"])
def test_texts_that_monai_would_evaluate_are_refused(field: str, mark: str) -> None:
    text = f"{mark}print('x')"
    value = {"modality": [text], "labels": ["background", text]}.get(field, text)
    with pytest.raises(
        UserError, match=rf"dataset\.{field} must not begin with \$, @ or %, which MONAI evaluates, got"
    ):
        DatasetDescription.from_dict({**FIELDS, field: value})
    assert DatasetDescription.from_dict({**FIELDS, "description": f"5 {mark} x"}).description == f"5 {mark} x"
