"""What a process needs to know and do when several of them run one workflow."""

from __future__ import annotations

import atexit
import gc
import os
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import distributed as dist
from torch import nn

from .owners import end_with_parent

# What `wrapped` gave and is still in use; each holds the process group until `leave_process_group` makes it let go.
_HOLDERS: weakref.WeakSet[nn.parallel.DistributedDataParallel] = weakref.WeakSet()


def is_distributed() -> bool:
    """Whether a process group is there."""
    return dist.is_available() and dist.is_initialized()


def rank() -> int:
    """Number of this process, 0 without a process group."""
    return dist.get_rank() if is_distributed() else 0


def barrier() -> None:
    """Wait for all processes."""
    if is_distributed():
        dist.barrier()


def in_first_process(action: Callable[[], None]) -> None:
    """Run `action` in the first of all processes; the others wait for it, and end with status 1 where it fails."""
    if not is_distributed():
        action()
        return
    failed = [True]
    try:
        if rank() == 0:
            action()
            failed = [False]
    finally:
        dist.broadcast_object_list(failed, src=0)
    if failed[0]:
        raise SystemExit(1)  # the first one says why


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its mean over the processes, in one message.

    The search updates alternating groups of parameters, which DistributedDataParallel does not allow for.
    """
    if not is_distributed():
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, mean in zip(gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


def unwrapped(network: nn.Module) -> nn.Module:
    """The network inside DistributedDataParallel, or itself."""
    return network.module if isinstance(network, nn.parallel.DistributedDataParallel) else network


def join_process_group() -> None:
    """Join the processes that `torchrun` started, and end with it: NCCL between GPUs, gloo between CPUs."""
    if dist.is_torchelastic_launched():
        end_with_parent()
    if not is_distributed():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        atexit.register(leave_process_group)
    if torch.cuda.is_available():
        torch.cuda.set_device(local_device())


def leave_process_group() -> None:
    """Leave the process group, if there is one, and end its threads; networks from `wrapped` are of no use then.

    Gloo's threads end only with the last reference to the group, which a network in use holds, and their last work may
    hold a tensor of Python. A thread that drops one while Python shuts down asks for the GIL, and that aborts the
    process: "terminate called without an active exception".
    """
    if is_distributed():
        for network in _HOLDERS:
            for attribute in ("logger", "reducer", "process_group"):  # What it leaves out of a pickle, too.
                setattr(network, attribute, None)
        _HOLDERS.clear()
        gc.collect()  # of what holds the group in a cycle, such as an engine and its handlers after an exception
        dist.destroy_process_group()


def local_device() -> torch.device:
    """The GPU of this process by `torchrun`'s LOCAL_RANK, or the CPU."""
    return (
        torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if torch.cuda.is_available() else torch.device("cpu")
    )


def wrapped(network: nn.Module, device: torch.device | str) -> nn.Module:
    """The network on `device`, in DistributedDataParallel where a process group is there."""
    network = network.to(device)
    if not is_distributed():
        return network
    holder = nn.parallel.DistributedDataParallel(network)
    _HOLDERS.add(holder)
    return holder


def own_part(data: Sequence[Any]) -> list[Any]:
    """Every n-th item, from the rank of this process on, of n processes.

    Where there are fewer items than processes they are repeated, one for each process, since every process must take
    part in the mean.
    """
    processes = dist.get_world_size() if is_distributed() else 1
    if 0 < len(data) < processes:
        return [data[rank() % len(data)]]
    return list(data[rank() :: processes])


def mean_over_processes(value: float) -> float:
    """Mean of a number over all processes."""
    if not is_distributed():
        return value
    device = local_device() if dist.get_backend() == "nccl" else torch.device("cpu")
    total = torch.tensor(value, dtype=torch.float64, device=device)
    dist.all_reduce(total)
    return float(total) / dist.get_world_size()
