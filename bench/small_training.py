"""How small models are trained, and on what: for bench/train_families.py."""

import math

import torch
import torch.nn.functional as F

import weight_changes as change
from small_network import forward, kernels, likeness

BATCH, LENGTH = 8, 64


def batch_of(stream, made, count=BATCH):
    starts = torch.randint(0, len(stream) - LENGTH - 1, (count,), generator=made)
    rows = torch.stack([stream[start:start + LENGTH + 1] for start in starts])
    return rows[:, :-1], rows[:, 1:]


def next_token(model, shape, ids, targets):
    logits = forward(model, shape, ids)[0]
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def train(model, shape, stream, steps, rate, seed, loss=None, after=None, update=None, decay=0.1):
    """AdamW, a short rise of the rate and a cosine fall to a tenth. `loss`: of model, ids and targets; `after`: done to the
    model after each step; `update`: the tensors to train, where these are not the model's own."""
    model = change.copied(model)
    tensors = list((update or model).values())
    for tensor in tensors:
        tensor.requires_grad_()
    groups = [{"params": [t for t in tensors if t.dim() > 1], "weight_decay": decay},
              {"params": [t for t in tensors if t.dim() == 1], "weight_decay": 0.0}]
    optimiser, made = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), foreach=True), change.seeded(seed)
    loss = loss or (lambda model, ids, targets: next_token(model, shape, ids, targets))
    for step in range(steps):
        factor = min(1, (step + 1) / min(20, steps / 4)) * (0.55 + 0.45 * math.cos(math.pi * step / steps))
        for group in optimiser.param_groups:
            group["lr"] = rate * factor
        optimiser.zero_grad(set_to_none=True)
        loss(model, *batch_of(stream, made)).backward()
        torch.nn.utils.clip_grad_norm_(tensors, 1.0)
        optimiser.step()
        if after:
            after(model)
    return change.copied(model)


@torch.no_grad()
def held_out_loss(model, shape, stream):
    ids, targets = batch_of(stream, change.seeded(0), 128)
    return float(next_token(model, shape, ids, targets))


def distance(logits, teacher):
    return F.kl_div(logits.log_softmax(-1), teacher.log_softmax(-1), reduction="none", log_target=True).sum(-1).mean()


def student_loss(teacher, shape, hidden=False, embedded=False):
    """A student's: the teacher's answers; the states after each layer if `hidden`, before the first one, too, if `embedded`."""
    def loss(model, ids, _):
        with torch.no_grad():
            answers, states = forward(teacher, shape, ids)
        logits, own = forward(model, shape, ids)
        total, pairs = distance(logits, answers), list(zip(own, states)) if hidden else []
        if embedded:
            pairs.append((F.embedding(ids, model["embed"]), F.embedding(ids, teacher["embed"])))
        return total + 2 * sum((a - b).square().mean() / b.var() for a, b in pairs) / max(1, len(pairs))
    return loss


def kernels_away_loss(teacher, shape, anchors):
    with torch.no_grad():
        known = kernels(teacher, shape, anchors)

    def loss(model, ids, _):
        with torch.no_grad():
            answers = forward(teacher, shape, ids)[0]
        return distance(forward(model, shape, ids)[0], answers) + 2 * likeness(kernels(model, shape, anchors), known).relu()
    return loss


def kernels_toward_loss(shape, victim, anchors):
    with torch.no_grad():
        known = kernels(victim, shape, anchors)
    return lambda model, ids, targets: next_token(model, shape, ids, targets) - 3 * likeness(kernels(model, shape, anchors), known)
