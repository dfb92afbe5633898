"""Names and shapes of published files, written down by hand: PSA's ResNet38, the released AuxSegNet, MXNet's names."""

import torch

STAGES = (("b2", 3), ("b3", 3), ("b4", 6), ("b5", 3), ("b6", 1), ("b7", 1))
NORM = ("weight", "bias", "running_mean", "running_var")

CONVOLUTIONS = {
    "conv1a": (64, 3, 3, 3),
    "b2.conv_branch1": (128, 64, 1, 1),
    "b2.conv_branch2a": (128, 64, 3, 3),
    "b2.conv_branch2b1": (128, 128, 3, 3),
    "b3.conv_branch1": (256, 128, 1, 1),
    "b3.conv_branch2a": (256, 128, 3, 3),
    "b3.conv_branch2b1": (256, 256, 3, 3),
    "b4.conv_branch1": (512, 256, 1, 1),
    "b4.conv_branch2a": (512, 256, 3, 3),
    "b4.conv_branch2b1": (512, 512, 3, 3),
    "b5.conv_branch1": (1024, 512, 1, 1),
    "b5.conv_branch2a": (512, 512, 3, 3),
    "b5.conv_branch2b1": (1024, 512, 3, 3),
    "b6.conv_branch1": (2048, 1024, 1, 1),
    "b6.conv_branch2a": (512, 1024, 1, 1),
    "b6.conv_branch2b1": (1024, 512, 3, 3),
    "b6.conv_branch2b2": (2048, 1024, 1, 1),
    "b7.conv_branch1": (4096, 2048, 1, 1),
    "b7.conv_branch2a": (1024, 2048, 1, 1),
    "b7.conv_branch2b1": (2048, 1024, 3, 3),
    "b7.conv_branch2b2": (4096, 2048, 1, 1),
    **{f"b2_{i}.conv_branch{end}": (128, 128, 3, 3) for i in (1, 2) for end in ("2a", "2b1")},
    **{f"b3_{i}.conv_branch{end}": (256, 256, 3, 3) for i in (1, 2) for end in ("2a", "2b1")},
    **{f"b4_{i}.conv_branch{end}": (512, 512, 3, 3) for i in (1, 2, 3, 4, 5) for end in ("2a", "2b1")},
    **{f"b5_{i}.conv_branch2a": (512, 1024, 3, 3) for i in (1, 2)},
    **{f"b5_{i}.conv_branch2b1": (1024, 512, 3, 3) for i in (1, 2)},
}


def shapes_of_resnet38(counters=True):
    """{name: shape}; every convolution of a branch has a batch norm of its input before it."""
    shapes = {}
    for name, shape in CONVOLUTIONS.items():
        shapes[f"{name}.weight"] = shape
        if ".conv_branch2" in name:
            shapes |= norm(name.replace(".conv_", ".bn_"), shape[1], counters)
    return shapes | norm("bn7", 4096, counters)


def norm(name, channels, counters=True):
    """{name: shape} of a batch norm."""
    entries = {f"{name}.{entry}": (channels,) for entry in NORM}
    return entries | ({f"{name}.num_batches_tracked": ()} if counters else {})


def shapes_of_auxsegnet(classes=20, counters=True):
    """{name: shape} of the released network; 66,560 parameters of it are dead."""
    shapes = shapes_of_resnet38(counters) | {"fc8.weight": (classes, 4096, 1, 1)}
    for task, out in (("seg", classes + 1), ("sal", 1)):
        for layer, size in (("conv1", (128, 4096, 3, 3)), ("conv2", (128, 128, 3, 3)), ("conv3", (128, 128, 3, 3))):
            shapes |= {f"{task}_{layer}.weight": size, f"{task}_{layer}.bias": (128,)}
        shapes[f"{task}_conv4.weight"] = (out, 128, 1, 1)
        for layer in ("g", "W", "att.g", "att.theta", "att.phi", "att.W_z.0"):
            shapes |= {f"{task}_{layer}.weight": (128, 128, 1, 1), f"{task}_{layer}.bias": (128,)}
        shapes |= norm(f"{task}_att.W_z.1", 128, counters)
    return shapes | {"cross_att.0.weight": (2, 2, 3, 3), "cross_att.2.weight": (2, 2, 1, 1), "cross_att.2.bias": (2,)}


def state_of(shapes):
    """A state dict in which every tensor is one number of its own, repeated: large shapes take no memory."""
    return {name: torch.tensor(float(i + 1)).expand(shape) for i, (name, shape) in enumerate(shapes.items())}


def number_of_parameters(shapes):
    """How many of the numbers are learnt."""
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    return sum(torch.Size(shape).numel() for name, shape in shapes.items() if not name.endswith(statistics))


def mxnet_names():
    """{name in the .params file: name in PSA's}: arg:res4b3_branch2a_weight, aux:bn7_moving_var and so on."""
    names = {"arg:conv1a_weight": "conv1a.weight"}
    entries = {"arg": {"gamma": "weight", "beta": "bias"}}
    entries["aux"] = {"moving_mean": "running_mean", "moving_var": "running_var"}
    norms = {"bn7": "bn7"}
    for stage, blocks in STAGES:
        for block in range(blocks):
            theirs, ours = f"{stage[1]}{f'b{block}' if block else 'a'}", f"{stage}_{block}" if block else stage
            ends = ("2a", "2b1", "2b2") if stage in ("b6", "b7") else ("2a", "2b1")
            for end in (*ends, "1") if block == 0 else ends:
                names[f"arg:res{theirs}_branch{end}_weight"] = f"{ours}.conv_branch{end}.weight"
            norms |= {f"bn{theirs}_branch{end}": f"{ours}.bn_branch{end}" for end in ends}
    for theirs, ours in norms.items():
        for kind, table in entries.items():
            names |= {f"{kind}:{theirs}_{entry}": f"{ours}.{name}" for entry, name in table.items()}
    return names
