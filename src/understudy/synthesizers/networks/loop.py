"""The training loop of all networks: updates, averaged weights, validation, early stop, time limit, checkpoints."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Protocol

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from understudy.core.errors import RequestError
from understudy.core.values import digest
from understudy.synthesizers.training import Circumstances, TrainingSettings, Weights

_SLOWER_AFTER = 3
_SLOWER = 0.5
_SAVING_SHARE = 0.05
_WARMED_UP = 10


class Trainee(Protocol):
    """What is trained.

    Attributes:
        kept: the module whose averaged weights are the result.
        modules: all modules that learn, `kept` among them, by name.
        optimizers: their optimizers, by name.
        noise: the source of all randomness of updates.
    """

    kept: torch.nn.Module
    modules: Mapping[str, torch.nn.Module]
    optimizers: Mapping[str, torch.optim.Optimizer]
    noise: torch.Generator

    def update(self, rows: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Learn from the training rows at these positions and return losses by name."""

    def validate(self) -> np.ndarray | None:
        """Return how badly `kept` does on rows set aside, lower is better, shape (looks,); None without rows."""


@dataclass
class _Progress:
    """Where training is; travels in the checkpoint."""

    update: int = 0
    best: float = math.inf
    best_update: int = 0
    waited: int = 0
    rate: float = 1.0
    seconds: float = 0.0


@dataclass
class _Training:
    trainee: Trainee
    settings: TrainingSettings
    told: Circumstances
    rows: int
    progress: _Progress = field(default_factory=_Progress)
    averaged: dict[str, torch.Tensor] = field(default_factory=dict)
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    reference: np.ndarray = field(default_factory=lambda: np.full(1, np.inf))
    validation: float | None = None


def train(trainee: Trainee, rows: int, settings: TrainingSettings, told: Circumstances) -> Weights:
    """Train until the updates or the time are used up, or the rows set aside say that it is enough.

    Args:
        trainee: what is trained.
        rows: number of training rows.
        settings: when to stop.
        told: seed, device, deadline, listener, checkpoint.

    Returns:
        The averaged weights of `trainee.kept` at its best validation; at the end where nothing is validated.
    """
    training = _Training(trainee, settings, told, rows)
    training.averaged = _copied(trainee.kept)
    _resume(training)
    began = time.monotonic()
    saved, cost_s = began, 0.0
    most, before = settings.most_updates(rows), training.progress.seconds
    if not training.progress.update:
        _check(training, {})
    while training.progress.update < most and not _is_enough(training):
        losses = trainee.update(_batch(training).to(trainee.noise.device))
        training.progress.update += 1
        _average(training)
        now = time.monotonic()
        is_last = training.progress.update == most or (told.deadline_s is not None and now >= told.deadline_s)
        if training.progress.update % settings.check_every == 0 or is_last:
            training.progress.seconds = before + now - began
            _check(training, losses)
            _tell(training, most, losses)
            if told.checkpoint is not None and cost_s <= _SAVING_SHARE * (now - saved):
                cost_s = _save(training)
                saved = time.monotonic()
        if is_last:
            break
    return {name: part.cpu().numpy() for name, part in training.best.items()}


@contextmanager
def seeded(told: Circumstances) -> Iterator[tuple[torch.device, torch.Generator]]:
    """Give the device and the stream of noise, which is all randomness that training may use.

    Torch's global stream, which layers use before `initialise`, and its threads are as before afterwards.

    Raises:
        RequestError: if the device does not exist.
    """
    device = _device(told.device)
    noise = torch.Generator(device=device)
    noise.manual_seed(told.seed.child("noise").integer())
    threads = torch.get_num_threads()
    # Sums over several threads come out in another order, and small networks gain nothing of them.
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            yield device, noise
    finally:
        torch.set_num_threads(threads)


def initialise(module: torch.nn.Module, noise: torch.Generator) -> None:
    """Draw all weights anew, as layers do by themselves, and set all biases to 0."""
    with torch.no_grad():
        for part in module.parameters():
            if part.ndim < 2:
                part.zero_()
            else:
                bound = part.shape[1:].numel() ** -0.5
                part.uniform_(-bound, bound, generator=noise)


def _device(wanted: str) -> torch.device:
    try:
        device = torch.device(wanted)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise RequestError(f"there is no device {wanted!r} to train on; use `cpu`") from error
    return device


def _batch(training: _Training) -> torch.Tensor:
    """Return the rows of the next update: each epoch is a permutation that depends on its number alone."""
    size = training.settings.batch(training.rows)
    start = training.progress.update * size
    found: list[np.ndarray] = []
    while size > 0:
        epoch, place = divmod(start, training.rows)
        order = training.told.seed.child(f"epoch-{epoch}").rng().permutation(training.rows)
        found.append(order[place : place + size])
        start, size = start + len(found[-1]), size - len(found[-1])
    return torch.from_numpy(np.concatenate(found))


def _average(training: _Training) -> None:
    # Young means forget faster, or they would stay at the weights of the beginning.
    share = min(
        training.settings.averaging, training.progress.update / (training.progress.update + _WARMED_UP)
    )
    current = training.trainee.kept.state_dict()
    for name, mean in training.averaged.items():
        if mean.is_floating_point():
            mean.lerp_(current[name], 1 - share)
        else:
            mean.copy_(current[name])


def _check(training: _Training, losses: Mapping[str, torch.Tensor]) -> None:
    """Look at the rows set aside with the averaged weights; keep the best, slow down where nothing improves."""
    odd = [name for name, loss in losses.items() if not bool(torch.isfinite(loss))]
    if odd:
        # What was best until now stays the result; learning on from here would not help.
        training.progress.waited = training.settings.patience
        return
    kept, progress = training.trainee.kept, training.progress
    current = _copied(kept)
    kept.load_state_dict(training.averaged)
    found = training.trainee.validate()
    kept.load_state_dict(current)
    training.validation = None if found is None else float(found.mean())
    progress.waited += 1
    if found is not None and found.mean() < progress.best:
        progress.best, training.reference = float(found.mean()), found
        progress.waited = 0
    if found is None or _is_as_good(found, training.reference, training.settings.slack):
        progress.best_update, progress.waited = progress.update, 0
        training.best = {name: part.clone() for name, part in training.averaged.items()}
    elif progress.waited % _SLOWER_AFTER == 0:
        progress.rate *= _SLOWER
        _scale_rates(training, _SLOWER)


def _is_as_good(found: np.ndarray, best: np.ndarray, slack: float) -> bool:
    """Say whether losses are not clearly above the best, compared look by look.

    Of few rows the likelihood favours columns that know nothing of each other, as one overconfident guess
    outweighs much that was learned; training goes on until the rows set aside show harm beyond chance.
    """
    difference = found - best
    return bool(difference.mean() <= slack * difference.std() / math.sqrt(len(difference)))


def _scale_rates(training: _Training, factor: float) -> None:
    for optimizer in training.trainee.optimizers.values():
        for group in optimizer.param_groups:
            group["lr"] *= factor


def _is_enough(training: _Training) -> bool:
    return training.progress.waited >= training.settings.patience


def _tell(training: _Training, most: int, losses: Mapping[str, torch.Tensor]) -> None:
    progress = training.progress
    parts = [f"{name} {float(loss):.4f}" for name, loss in losses.items()]
    if math.isfinite(progress.best):
        parts.append(f"best validation {progress.best:.4f}, weights of update {progress.best_update}")
    fraction = progress.update / most
    if training.told.deadline_s is not None:
        left = max(training.told.deadline_s - time.monotonic(), 0.0)
        fraction = max(fraction, progress.seconds / max(progress.seconds + left, 1e-9))
    values = {name: float(loss) for name, loss in losses.items()}
    values |= {"update": progress.update, "most": most, "best_update": progress.best_update}
    if training.validation is not None:
        values["validation"] = training.validation
    training.told.tell(fraction, f"update {progress.update} of {most}: {', '.join(parts)}", values)


def _copied(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: part.detach().clone() for name, part in module.state_dict().items()}


def _fingerprint(training: _Training) -> str:
    """Return what a checkpoint must agree on to be taken up: settings, seed, rows and shapes of the weights."""
    shapes = {
        f"{name}/{part}": list(tensor.shape)
        for name, module in training.trainee.modules.items()
        for part, tensor in module.state_dict().items()
    }
    seed = [training.told.seed.value, *training.told.seed.path]
    return digest(
        {"settings": training.settings.model_dump(mode="json"), "seed": seed, "rows": training.rows} | shapes
    )


def _save(training: _Training) -> float:
    """Write the whole state beside the old one, put it in its place, and return the seconds that it took."""
    path, began = training.told.checkpoint, time.monotonic()
    assert path is not None
    tensors = {"noise": training.trainee.noise.get_state(), "reference": torch.from_numpy(training.reference)}
    for kind, parts in (("averaged", training.averaged), ("best", training.best)):
        tensors |= {f"{kind}/{name}": part for name, part in parts.items()}
    for name, module in training.trainee.modules.items():
        tensors |= {f"module/{name}/{key}": part for key, part in module.state_dict().items()}
    for name, optimizer in training.trainee.optimizers.items():
        for number, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{name}/{number}/{key}": part for key, part in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    # Tied weights would be refused: each tensor is written from memory of its own.
    save_file(
        {name: part.detach().clone().cpu().contiguous() for name, part in tensors.items()},
        partial,
        metadata={"progress": json.dumps(asdict(training.progress)), "fingerprint": _fingerprint(training)},
    )
    os.replace(partial, path)
    return time.monotonic() - began


def _resume(training: _Training) -> None:
    """Go on from a checkpoint of the same training, if there is one that is whole."""
    path = training.told.checkpoint
    if path is None or not path.is_file():
        return
    try:
        with safe_open(path, framework="pt") as stored:
            metadata = stored.metadata() or {}
            if metadata.get("fingerprint") != _fingerprint(training):
                return
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError):
        return
    training.progress = _Progress(**json.loads(metadata["progress"]))
    trainee, device = training.trainee, training.trainee.noise.device
    trainee.noise.set_state(tensors["noise"])
    training.reference = tensors["reference"].numpy()
    training.averaged = _below(tensors, "averaged/", device)
    training.best = _below(tensors, "best/", device)
    for name, module in trainee.modules.items():
        module.load_state_dict(_below(tensors, f"module/{name}/", device))
    for name, optimizer in trainee.optimizers.items():
        stated = optimizer.state_dict()
        found: dict[int, dict[str, torch.Tensor]] = {}
        for key, part in _below(tensors, f"optimizer/{name}/", torch.device("cpu")).items():
            number, _, quantity = key.partition("/")
            found.setdefault(int(number), {})[quantity] = part
        optimizer.load_state_dict(stated | {"state": found})
    _scale_rates(training, training.progress.rate)


def _below(tensors: Mapping[str, torch.Tensor], prefix: str, device: torch.device) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix(prefix): part.to(device)
        for name, part in tensors.items()
        if name.startswith(prefix)
    }
