"""ArchitectureSearcher: a MONAI trainer that searches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.engines import IterationEvents, Trainer
from monai.inferers import Inferer, SimpleInferer
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from ..distributed import mean_over_processes
from ..engines.batches import plain_batch
from ..engines.gradients import require_finite
from ..engines.schedules import exponential
from ..errors import UserError
from ..networks import AdwUNetSupernet
from .mixed_level import MixedLevelStep, StepLosses, StepOrder

LOSS_NAMES = ("weight_loss", "architecture_loss_a", "architecture_loss_b")


class ArchitectureSearcher(Trainer):
    """Search by gradient descent: a warm-up of the weights, then mixed-level steps (paper section 3.4).

    An iteration takes one batch of split A, which both the weights and alpha and beta see, and, after the
    warm-up, one of split B for alpha and beta alone. The temperature tau is `initial_temperature` until the
    end of the warm-up and falls by `temperature_rate` with every epoch after it. After an epoch
    `state.metrics` holds the mean of each of `LOSS_NAMES` (the architecture's are missing in the warm-up).

    Args:
        device: where to run.
        max_epochs: epochs in all, warm-up included.
        train_data_loader: batches of split A, dictionaries with "image" (N, C, *spatial) and "label" (N, 1, *spatial).
        architecture_data_loader: batches of split B.
        network: the supernet, on `device`.
        weight_optimizer: over `network.weight_parameters()`.
        architecture_optimizer: over `network.architecture_parameters()`.
        loss_function: (output of the training forward, label) -> scalar.
        warmup_epochs: epochs that update the weights alone.
        step_order: "sequential" for the paper's three passes, "simultaneous" for two, all gradients at one point.
        initial_temperature: tau when the search starts.
        temperature_rate: factor of tau per epoch.
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
        warmup_epochs: int = 100,
        step_order: StepOrder = "sequential",
        initial_temperature: float = 5.0,
        temperature_rate: float = 0.97,
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
            initial_temperature=initial_temperature,
            temperature_rate=temperature_rate,
        )
        super().__init__(
            device=device,
            max_epochs=max_epochs,
            data_loader=train_data_loader,
            non_blocking=non_blocking,
            prepare_batch=prepare_batch,
            amp=amp,
            amp_kwargs=amp_kwargs,
            decollate=False,
        )
        self.network = network
        self.architecture_data_loader = architecture_data_loader
        self.warmup_epochs, self.step_order = warmup_epochs, step_order
        self.initial_temperature, self.temperature_rate = initial_temperature, temperature_rate
        self.output_dir = output_dir
        self.mixed_level = MixedLevelStep(
            network=network,
            weight_optimizer=weight_optimizer,
            architecture_optimizer=architecture_optimizer,
            loss_function=loss_function,
            inferer=SimpleInferer() if inferer is None else inferer,
            gradient_clip=gradient_clip,
            autocast=self._autocast,
            check_loss=lambda loss: require_finite(loss, self, self.output_dir),
        )
        self._batches_b: Iterator[Any] | None = None
        self._losses: list[StepLosses] = []
        self.add_event_handler(Events.EPOCH_STARTED, self._start_epoch)
        self.add_event_handler(Events.EPOCH_COMPLETED, self._average_losses)
        # After our own, so that handlers find the temperature set and the losses averaged.
        self._register_handlers(list(train_handlers))

    @property
    def is_warming_up(self) -> bool:
        """Whether the current epoch updates the weights alone."""
        return self.state.epoch <= self.warmup_epochs

    def temperature(self, epoch: int) -> float:
        """tau of `epoch`, counted from 1."""
        searched = max(0, epoch - self.warmup_epochs - 1)
        return exponential(searched, start=self.initial_temperature, rate=self.temperature_rate)

    def _start_epoch(self, engine: Engine) -> None:
        self.state.tau = self.temperature(self.state.epoch)
        self.network.tau.fill_(self.state.tau)
        self._batches_b = None
        self._losses = []

    def _iteration(self, engine: Any, batchdata: Any) -> list[dict[str, float]]:  # type: ignore[override]
        self.network.train()
        self.mixed_level.scaler = self._fp16_scaler()
        a = self._prepared(batchdata)
        if self.is_warming_up:
            losses = self.mixed_level.warm_up(a)
        else:
            losses = getattr(self.mixed_level, self.step_order)(a, self._prepared(self._next_b()))
        self._losses.append(losses)
        # A list of one, as decollated outputs are: what MONAI's handlers and MLflow's tracking read.
        self.state.output = [{"loss": losses.weights}]
        self.fire_event(IterationEvents.MODEL_COMPLETED)
        return self.state.output

    def _next_b(self) -> Any:
        """The next batch of split B; its loader starts anew once it has run out."""
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
        return self.scaler if self.state.device.type == "cuda" else None

    def _average_losses(self, engine: Engine) -> None:
        rows = [(losses.weights, losses.architecture_a, losses.architecture_b) for losses in self._losses]
        for name, values in zip(LOSS_NAMES, zip(*rows, strict=True), strict=True):
            if None in values:
                self.state.metrics.pop(name, None)
            else:
                self.state.metrics[name] = mean_over_processes(math.fsum(values) / len(values))


def check_search_settings(
    *, max_epochs: int, warmup_epochs: int, step_order: str, initial_temperature: float, temperature_rate: float
) -> None:
    """Raise a `UserError` unless the settings of an `ArchitectureSearcher` are in their ranges."""
    if step_order not in ("sequential", "simultaneous"):
        raise UserError(f"step_order must be sequential or simultaneous, got {step_order!r}")
    if not 0 <= warmup_epochs < max_epochs:
        raise UserError(
            f"warmup_epochs must be at least 0 and below max_epochs {max_epochs}, or nothing is searched; "
            f"got {warmup_epochs}"
        )
    if initial_temperature <= 0 or not 0 < temperature_rate <= 1:
        raise UserError(
            "initial_temperature must be above 0 and temperature_rate in (0, 1], "
            f"got {initial_temperature} and {temperature_rate}"
        )
