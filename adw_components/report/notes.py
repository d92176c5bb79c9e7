"""What a reader of the page has to know first, and what the run folder does not hold."""

from __future__ import annotations

from .progress import waiting_note
from .records import SearchRun, Sources


def notes(sources: Sources) -> list[str]:
    """The remarks at the top of the page."""
    found = [_unfinished(sources.search), _warming_up(sources.search), _foreign_network(sources)]
    found += [
        waiting_note(name, run.epochs)
        for name, run in (("search", sources.search), ("retraining", sources.train))
        if run
    ]
    return [note for note in found if note]


def _unfinished(search: SearchRun | None) -> str | None:
    if not search or not search.epochs or search.has_ended:
        return None
    if search.is_set:
        ended = sum(branch.derived is not None for branch in search.branches)
        return f"The searches have not ended: {ended} of {search.n_searches} have derived their network."
    return "The search has not ended: the network drawn is the one that its last epoch would derive."


def _warming_up(search: SearchRun | None) -> str | None:
    if search and search.epochs and search.epochs[-1].warm_up:
        return "Only warm-up epochs so far: the choices have not begun to move."
    return None


def _foreign_network(sources: Sources) -> str | None:
    search, train = sources.search, sources.train
    if not search or not train or train.architecture is None:
        return None
    derived = [branch.architecture for branch in search.branches] if search.is_set else [search.architecture]
    if train.architecture in derived or derived in ([], [None]):
        return None
    return "The retrained network, which is drawn here, is not the one that this search derived."


def missing_parts(sources: Sources, costs: bool) -> list[str]:
    """What the run folder does not hold; `costs` says whether those of the network are known."""
    search, train, evaluation = sources.search, sources.train, sources.evaluation
    no_single_network = sources.architecture is None and search is not None and search.is_set
    there = {
        "a search": search,
        "the epochs of the search (search.jsonl)": not search or search.epochs,
        "a retraining": train,
        "the epochs of the retraining (train.jsonl)": not train or train.epochs,
        "an evaluation (cases.json)": evaluation,
        "the summary of the evaluation (summary.json)": not evaluation or evaluation.summary is not None,
        "the network (architecture.json)": sources.architecture or no_single_network,
        "its costs (in_channels, out_channels, patch_size in settings.json)": not sources.architecture or costs,
    }
    return [name for name, found in there.items() if not found]
