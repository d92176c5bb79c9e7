"""Which architecture a single-path weight step trains."""

from __future__ import annotations

from ..architecture import Architecture
from ..networks import AdwUNetSupernet

# The largest and the smallest network bound all others, so that training them lifts what lies between (the sandwich
# rule of Yu & Huang, ICCV 2019). Here they take turns with sampled ones, so that a step costs one network, not three.
CYCLE = ("largest", *("sampled",) * 3, "smallest", *("sampled",) * 3)


def path_of(supernet: AdwUNetSupernet, iteration: int) -> Architecture:
    """The architecture that the weight step of an iteration trains.

    Args:
        supernet: whose alpha and beta give the probabilities of the sampled ones.
        iteration: counted from 0.
    """
    turn = CYCLE[iteration % len(CYCLE)]
    return supernet.sample() if turn == "sampled" else getattr(supernet.search_space, turn)
