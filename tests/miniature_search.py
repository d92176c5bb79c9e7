"""A whole search in memory, wired as `search.json` wires it, in miniature."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedEvaluator
from monai.handlers import LrScheduleHandler, MeanDice, from_engine
from monai.inferers import SimpleInferer
from monai.transforms import AsDiscreted, Compose, RandFlipd, RandGaussianNoised
from tiny import CLASSES, loss_function, random_batch, space, supernet

from adw_components.data.loaders import training_loader
from adw_components.engines.checkpoint import RunCheckpoint
from adw_components.engines.epoch_record import EpochRecord
from adw_components.engines.schedules import polynomial
from adw_components.engines.seeding import EpochSeeds
from adw_components.networks import AdwUNetSupernet
from adw_components.search import ArchitectureSearcher
from adw_components.search.discretized import DiscretizedEvaluator
from adw_components.search.early_stop import SkipSettledEpochs
from adw_components.search.search_record import SearchRow
from adw_components.search.search_result import SaveSearchResult
from adw_components.search.search_validation import SearchValidation
from adw_components.search.shared_warm_up import SharedWarmUp

SPACE = space(n_stages=2, base_widths=(2, 4), depths=(1, 2))
SIZE = (8, 8)
LABELS = {"1": "near", "2": "far"}
EPOCHS = 4


def cases(seed: int, n: int = 5) -> list[dict[str, torch.Tensor]]:
    """Random cases."""
    images, labels = random_batch(SIZE, cases=n, seed=seed)
    return [{"image": image, "label": label} for image, label in zip(images, labels, strict=True)]


def loader(seed: int, num_workers: int = 0) -> DataLoader:
    """Two batches of two augmented cases an epoch."""
    transform = Compose(
        [RandFlipd(keys=["image", "label"], prob=0.5, spatial_axis=0), RandGaussianNoised(keys="image", prob=0.5)]
    )
    return training_loader(Dataset(cases(seed), transform), batch_size=2, iterations=2, num_workers=num_workers)


def evaluator(network: AdwUNetSupernet, *, whole: bool = False) -> Any:
    """Validation of two cases by the derived network, or by the whole supernet."""
    post = Compose(
        [AsDiscreted(keys="pred", argmax=True, to_onehot=CLASSES), AsDiscreted(keys="label", to_onehot=CLASSES)]
    )
    metric = MeanDice(include_background=False, output_transform=from_engine(["pred", "label"]))
    kind = SupervisedEvaluator if whole else DiscretizedEvaluator
    return kind(
        **{"network" if whole else "supernet": network},
        device="cpu",
        val_data_loader=DataLoader(Dataset(cases(9, n=2)), batch_size=1),
        inferer=SimpleInferer(),
        postprocessing=post,
        key_val_metric={"val_mean_dice": metric},
    )


@dataclass
class Search:
    """A searcher and what a test looks at."""

    searcher: ArchitectureSearcher
    network: AdwUNetSupernet
    record: EpochRecord
    validator: DiscretizedEvaluator

    def rows(self) -> list[dict[str, Any]]:
        """The rows of the record without the times."""
        times = ("seconds", "data_wait", "stopped_early")
        return [{name: value for name, value in row.items() if name not in times} for row in self.record.rows]


def search(
    folder: Path, *, epochs: int = EPOCHS, seed: int = 0, resume: bool = False, num_workers: int = 0, **options: Any
) -> Search:
    """The search of the bundles, wired as in `search.json`, in miniature."""
    network = supernet(SPACE)
    weight_optimizer = torch.optim.SGD(network.weight_parameters(), lr=0.05, momentum=0.9, nesterov=True)
    architecture_optimizer = torch.optim.Adam(network.architecture_parameters(), lr=0.05)
    scheduler = torch.optim.lr_scheduler.LambdaLR(weight_optimizer, lambda epoch: polynomial(epoch, max_epochs=EPOCHS))
    loaders = loader(1, num_workers), loader(2, num_workers)
    validator, of_supernet = evaluator(network), evaluator(network, whole=True)
    record = EpochRecord(
        path=folder / "search.jsonl",
        row=SearchRow(patch_size=SIZE, labels=LABELS, validator=validator, supernet_validator=of_supernet),
    )
    state = {
        "network": network,
        "weight_optimizer": weight_optimizer,
        "architecture_optimizer": architecture_optimizer,
        "lr_scheduler": scheduler,
    }
    handlers = [
        EpochSeeds(seed=seed, loaders=loaders),
        SharedWarmUp(path=folder / "warm_up.pt", objects=state),
        SearchValidation(validator=validator, interval=2, supernet_validator=of_supernet),
        record,
        LrScheduleHandler(scheduler, print_lr=False),
        SaveSearchResult(output_dir=folder, settings={"seed": seed, "patch_size": SIZE}),
        SkipSettledEpochs(),
        RunCheckpoint(path=folder / "checkpoint.pt", objects={**state, "record": record}, resume=resume),
    ]
    arguments = {
        "device": "cpu",
        "max_epochs": epochs,
        "train_data_loader": loaders[0],
        "architecture_data_loader": loaders[1],
        "network": network,
        "weight_optimizer": weight_optimizer,
        "architecture_optimizer": architecture_optimizer,
        "loss_function": loss_function(),
        "patch_size": SIZE,
        "warmup_epochs": 1,
        "train_handlers": handlers,
        **options,
    }
    return Search(ArchitectureSearcher(**arguments), network, record, validator)


def finished(folder: Path, **options: Any) -> Search:
    """A search that has run."""
    run = search(folder, **options)
    run.searcher.run()
    return run


def same_state(one: AdwUNetSupernet, other: AdwUNetSupernet) -> bool:
    """Whether all values are equal bit for bit."""
    stored = other.state_dict()
    return all(torch.equal(value, stored[name]) for name, value in one.state_dict().items())
