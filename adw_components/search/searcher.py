"""ArchitectureSearcher: a MONAI trainer that searches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.engines import IterationEvents, Trainer
from monai.inferers import Inferer, SimpleInferer
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from ..cost_target import CostTarget
from ..distributed import mean_over_processes
from ..engines.batches import plain_batch
from ..engines.data_wait import DataWait
from ..engines.gradients import require_finite
from ..engines.schedules import exponential
from ..networks import AdwUNetSupernet
from .branches import Branches
from .budget import CostSteering
from .derivation import Landed, landed
from .entropy import mean_entropy
from .mixed_level import MixedLevelStep, StepLosses, StepOrder, WeightStep, mean_losses
from .search_settings import check_search_settings

LOSS_NAMES = ("weight_loss", "architecture_loss_a", "architecture_loss_b")


class ArchitectureSearcher(Trainer):
    """Search by gradient descent: a warm-up of the weights, then mixed-level steps (paper section 3.4).

    An iteration takes one batch of split A, which both the weights and alpha and beta see, and, after the
    warm-up, one of split B for alpha and beta alone where the step asks for it. The temperature tau is
    `initial_temperature` until the end of the warm-up and falls by `temperature_rate` with every epoch after it.
    After an epoch `state.metrics` holds the mean of each of `LOSS_NAMES` (the architecture's are missing in the
    warm-up).

    Several `targets` make several searches, one after the other in one count of epochs (`branches`): they share the
    warm-up, and `SharedWarmUp` starts each from its end. `state.search_epoch` counts the epochs of each.

    Args:
        device: where to run.
        max_epochs: epochs of a search, warm-up included.
        train_data_loader: batches of split A, dictionaries with "image" (N, C, *spatial) and "label" (N, 1, *spatial).
        architecture_data_loader: batches of split B.
        network: the supernet, on `device`.
        weight_optimizer: over `network.weight_parameters()`.
        architecture_optimizer: over `network.architecture_parameters()`.
        loss_function: (output of the training forward, label) -> scalar.
        patch_size: voxels per axis at which cost is counted.
        warmup_epochs: epochs that update the weights alone.
        step_order: "sequential" for the paper's three passes, "simultaneous" for two, all gradients at one point.
        weight_step: "mixture" trains the weights as the supernet, "single_path" one architecture at a time.
        architecture_interval: alpha and beta are updated in the first of every so many iterations.
        initial_temperature: tau when the search starts.
        temperature_rate: factor of tau per epoch.
        targets: what the derived architectures shall cost; empty for the paper's search.
        target_rate: share of the distance to the target that an update of alpha and beta closes, see `CostSteering`.
        target_ramp: share of the searching iterations in which the target is approached; 0 aims at it from the start.
        stop_entropy: a search ends early once its mean normalized entropy is at most this; None never.
        gradient_clip: largest norm of the gradients, None for no clipping.
        inferer: runs the network on a batch.
        output_dir: where the checkpoint is kept, for messages.
        train_handlers: handlers with `attach(engine)`.
        amp: mixed precision: float16 with loss scaling on a GPU, bfloat16 on a CPU.
        amp_kwargs: further arguments of `torch.autocast`, such as `dtype`.
        non_blocking: whether copies to the device may overlap.
        prepare_batch: batch -> (image, label) on the device.

    Raises:
        UserError: an argument is out of its range, or, while running, a loss is no finite number.
    """

    def __init__(
        self,
        *,
        device: torch.device | str,
        max_epochs: int,
        train_data_loader: DataLoader,
        architecture_data_loader: DataLoader,
        network: AdwUNetSupernet,
        weight_optimizer: Optimizer,
        architecture_optimizer: Optimizer,
        loss_function: Callable[..., torch.Tensor],
        patch_size: Sequence[int],
        warmup_epochs: int = 100,
        step_order: StepOrder = "simultaneous",
        weight_step: WeightStep = "mixture",
        architecture_interval: int = 1,
        initial_temperature: float = 5.0,
        temperature_rate: float = 0.97,
        targets: Sequence[CostTarget] = (),
        target_rate: float = 0.1,
        target_ramp: float = 0.75,
        stop_entropy: float | None = None,
        gradient_clip: float | None = 12.0,
        inferer: Inferer | None = None,
        output_dir: str = ".",
        train_handlers: Sequence[Any] = (),
        amp: bool = False,
        amp_kwargs: dict[str, Any] | None = None,
        non_blocking: bool = False,
        prepare_batch: Callable = plain_batch,
    ) -> None:
        check_search_settings(
            max_epochs=max_epochs,
            warmup_epochs=warmup_epochs,
            step_order=step_order,
            weight_step=weight_step,
            architecture_interval=architecture_interval,
            initial_temperature=initial_temperature,
            temperature_rate=temperature_rate,
            target_rate=target_rate,
            target_ramp=target_ramp,
            stop_entropy=stop_entropy,
        )
        self.branches = Branches(warmup_epochs=warmup_epochs, max_epochs=max_epochs, n=max(1, len(targets)))
        super().__init__(
            device=device,
            max_epochs=self.branches.n_epochs,
            data_loader=train_data_loader,
            non_blocking=non_blocking,
            prepare_batch=prepare_batch,
            amp=amp,
            amp_kwargs=amp_kwargs,
            decollate=False,
        )
        self.network = network
        self.architecture_data_loader = architecture_data_loader
        self.targets, self.target_ramp, self.stop_entropy = tuple(targets), target_ramp, stop_entropy
        self.initial_temperature, self.temperature_rate = initial_temperature, temperature_rate
        self.output_dir = output_dir
        self.steering = CostSteering(
            network=network, optimizer=architecture_optimizer, patch_size=patch_size, rate=target_rate
        )
        self.mixed_level = MixedLevelStep(
            network=network,
            weight_optimizer=weight_optimizer,
            architecture_optimizer=architecture_optimizer,
            step_order=step_order,
            weight_step=weight_step,
            architecture_interval=architecture_interval,
            steer=self.steering.step,
            loss_function=loss_function,
            inferer=SimpleInferer() if inferer is None else inferer,
            gradient_clip=gradient_clip,
            autocast=self._autocast,
            check_loss=lambda loss: require_finite(loss, self, self.output_dir),
        )
        self.epochs_saved = 0
        self.data_wait = DataWait()
        self.data_wait.attach(self)
        self._batches_b: Iterator[Any] | None = None
        self._losses: list[StepLosses] = []
        self.add_event_handler(Events.EPOCH_STARTED, self._start_epoch)
        self.add_event_handler(Events.EPOCH_COMPLETED, self._complete_epoch)
        # After our own, so that handlers find the temperature set and the losses averaged.
        self._register_handlers(list(train_handlers))

    @property
    def is_warming_up(self) -> bool:
        """Whether the current epoch updates the weights alone."""
        return self.state.epoch <= self.branches.warmup_epochs

    @property
    def target(self) -> CostTarget | None:
        """What the search that the current epoch belongs to aims at; None in the warm-up, which all searches share."""
        if self.is_warming_up or not self.targets:
            return None
        return self.targets[self.branches.branch(self.state.epoch)]

    @property
    def ends_search(self) -> bool:
        """Whether the epoch just completed is the last one of its search, planned or settled."""
        return self.epochs_saved > 0 or self.state.epoch == self.branches.last(self.state.epoch)

    def temperature(self, epoch: int) -> float:
        """tau of an epoch of a search, counted from 1."""
        searched = max(0, epoch - self.branches.warmup_epochs - 1)
        return exponential(searched, start=self.initial_temperature, rate=self.temperature_rate)

    def landed(self) -> Landed:
        """What the search would derive now."""
        return landed(self.network, self.target, patch_size=self.steering.patch_size)

    def _start_epoch(self, engine: Engine) -> None:
        self.state.search_epoch = self.branches.search_epoch(self.state.epoch)
        self.state.tau = self.temperature(self.state.search_epoch)
        self.steering.target = self.target
        self.network.tau.fill_(self.state.tau)
        self.epochs_saved = 0
        self._batches_b = None
        self._losses = []

    def _iteration(self, engine: Any, batchdata: Any) -> list[dict[str, float]]:  # type: ignore[override]
        self.network.train()
        self.mixed_level.gradients.scaler = self._fp16_scaler()
        a, iteration = self._prepared(batchdata), self._iteration_of_search()
        if self.is_warming_up:
            losses = self.mixed_level.warm_up(a, iteration=iteration)
        else:
            self.steering.progress = self._progress(iteration)
            losses = self.mixed_level.search(a, lambda: self._prepared(self._next_b()), iteration=iteration)
        self._losses.append(losses)
        # A list of one, as decollated outputs are: what MONAI's handlers and MLflow's tracking read.
        self.state.output = [{"loss": losses.weights}]
        self.fire_event(IterationEvents.MODEL_COMPLETED)
        return self.state.output

    def _iteration_of_search(self) -> int:
        """Counted from 0 within the search, and the same after resuming."""
        length = self.state.epoch_length or 1
        return (self.state.search_epoch - 1) * length + (self.state.iteration - 1) % length

    def _progress(self, iteration: int) -> float:
        """How far the target has been approached, 0 to 1, at an iteration of the search."""
        length, warm_up = self.state.epoch_length or 1, self.branches.warmup_epochs
        ramp = self.target_ramp * (self.branches.last(1) - warm_up) * length
        return 1.0 if ramp == 0 else min(1.0, (iteration - warm_up * length) / ramp)

    def _next_b(self) -> Any:
        """The next batch of split B; its loader starts anew once it has run out."""
        with self.data_wait.fetching():
            batch = None if self._batches_b is None else next(self._batches_b, None)
            if batch is None:
                # Made at the first batch of an epoch, after the loaders were seeded.
                self._batches_b = iter(self.architecture_data_loader)
                batch = next(self._batches_b)
        return batch

    def _prepared(self, batchdata: Any) -> tuple[torch.Tensor, torch.Tensor]:
        return self.prepare_batch(batchdata, self.state.device, self.non_blocking, **self.to_kwargs)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.state.device.type, enabled=self.amp, **self.amp_kwargs)

    def _fp16_scaler(self) -> Any:
        """The scaler that `Trainer.run` made, where float16 needs one."""
        is_half = self.amp_kwargs.get("dtype", torch.float16) is torch.float16
        return self.scaler if is_half and self.state.device.type == "cuda" else None

    def _complete_epoch(self, engine: Engine) -> None:
        means = mean_losses(self._losses).values()
        for name, mean in zip(LOSS_NAMES, means, strict=True):
            if mean is None:
                self.state.metrics.pop(name, None)
            else:
                self.state.metrics[name] = mean_over_processes(mean)
        # One number for all processes, so that all of them end or none.
        self.state.entropy = mean_over_processes(mean_entropy(self.network))
        if self.stop_entropy is not None and not self.is_warming_up and self.state.entropy <= self.stop_entropy:
            self.epochs_saved = self.branches.last(self.state.epoch) - self.state.epoch
