"""Networks against each other over all folds: which cases count, and how."""

import pandas as pd
from campaigns.measured import COLUMNS
from campaigns.paired_tables import over_folds_table

# Dice of two cases a fold; a fold's cases are its own.
DICE = {
    "one": {1: (0.9, 0.8), 2: (0.7, 0.6), 3: (0.1, 0.1)},
    "other": {1: (0.8, 0.8), 2: (0.5, 0.7)},
}


def cases_of(*networks: str) -> pd.DataFrame:
    rows = [
        (network, fold, 0, f"{fold}_{number}", "A", dice, 1.0)
        for network in networks
        for fold, values in DICE[network].items()
        for number, dice in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_all_cases_count_once_of_the_folds_that_both_networks_have() -> None:
    """Differences of +0.1, 0, +0.2 and -0.1 in the folds 1 and 2; fold 3 has none."""
    *_, row = over_folds_table(cases_of("one", "other"), "one").strip().splitlines()
    name, runs, mean, *_, wins = (cell.strip() for cell in row.strip("|").split("|"))
    assert (name, runs, mean, wins) == ("other", "1", "+0.0500", "2 of 4")


def test_a_network_alone_and_one_that_is_missing_give_no_row() -> None:
    for table in (over_folds_table(cases_of("one"), "one"), over_folds_table(cases_of("other"), "one")):
        assert len(table.strip().splitlines()) == 2
