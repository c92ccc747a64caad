"""Every setting of a run, as frozen data; the docstring under a field is its `--help`."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat

LossName = Literal["ce", "balanced_ce", "ohem", "focal", "hardness"]
Device = Literal["auto", "cpu", "cuda", "mps"]
Backend = Literal["auto", "torch", "openvino", "onnxruntime", "compile"]
Tracker = Literal["tensorboard", "wandb", "trackio"]
PositiveInt = Annotated[int, Field(ge=1, lt=2**53)]
ListedCount = Annotated[int, Field(ge=1, le=1_000_000)]
"""A number of things that are listed in memory."""
Size = tuple[PositiveInt, PositiveInt]


def _expand_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(f"{path}: {error}") from error


UserPath = Annotated[Path, AfterValidator(_expand_home)]
"""A path; a leading ~ is the home folder, in a settings file as in a shell."""
EpochChoice = NonNegativeInt | Literal["best"] | None
_Side = Annotated[int, Field(ge=16, le=4096)]
SceneSize = tuple[_Side, _Side]
"""Height and width of a synthetic scene, px; larger ones would take minutes to draw."""
Share = Annotated[float, Field(ge=0, le=1)]


HARDNESS_SGD_LR = 0.3
"""Default peak learning rate of the hardness branch under SGD; docs/decisions.md has the rule that chooses it."""


class FrozenModel(BaseModel):
    """Base class of all settings: immutable; a misspelt key raises an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class NetworkConfig(FrozenModel):
    """The network."""

    network: str = "fpn"
    """A decoder of segmentation-models-pytorch (fpn, unet, deeplabv3plus, ...), a torchvision network
    (torchvision/fcn_resnet50, ...) or a name registered with `hlcore.models.adapters.register_network`."""
    encoder: str = "tu-tf_efficientnet_lite0"
    """An encoder of segmentation-models-pytorch; `tu-NAME` takes NAME from timm. Ignored by torchvision networks."""
    encoder_depth: Annotated[int, Field(ge=3, le=5)] | None = None
    """Number of times the encoder halves the image; fewer make a smaller, faster network. Default: the decoder's."""
    encoder_weights: str = "imagenet"
    """`imagenet`, a weight file (.safetensors or .pth), or `none` for random weights."""
    decoder_channels: PositiveInt | None = None
    """Width of the decoder. Default: the decoder's."""
    hardness_branch: Literal["copy", "light"] = "light"
    """A `light` fusion of three feature levels, or a `copy` of the segmentation branch (the authors' choice)."""
    hardness_norm: bool = True
    """Batch norm after each projection of a `light` branch, for sharper maps. A `copy` keeps its original's norm."""
    options: dict[str, Any] = {}
    """Further settings of the decoder, such as its dropout, or of an encoder of timm."""


class DataConfig(FrozenModel):
    """The data set and how it is loaded."""

    dataset: str = "streets"
    """streets (synthetic, needs no download), camvid, cityscapes, ade20k, voc, idd_lite, folder or hf."""
    root: UserPath | None = None
    """Folder of the data set; not needed for streets."""
    train_split: str = "train"
    """Split to train on."""
    val_split: str = "val"
    """Split to validate on after each epoch."""
    scene_size: SceneSize = (192, 256)
    """Height and width of a synthetic scene, px (streets only)."""
    train_scenes: ListedCount = 400
    """Number of training scenes (streets only)."""
    val_scenes: ListedCount = 40
    """Number of validation scenes, and of test scenes (streets only)."""
    white_level: PositiveFloat | None = None
    """Value of white in images of more than 8 bits. Default: found in the training images (docs/decisions.md)."""
    cache_mb: Annotated[float, Field(ge=0)] = 1024.0
    """Memory for decoded images, MB; training and validation each get this much."""
    workers: Annotated[int, Field(ge=0, le=1024)] = 0
    """Number of data-loading processes; results do not depend on it."""


class AugmentConfig(FrozenModel):
    """How training images are augmented."""

    crop_size: Size | None = None
    """Height and width of the training crop, px. Default: the size of the first training image."""
    scale: tuple[PositiveFloat, PositiveFloat] = (0.5, 2.0)
    """Range of the random resize before the crop."""
    flip: Share = 0.5
    """Probability of a horizontal flip."""
    colour: Share = 0.3
    """Strength of the brightness, contrast and saturation jitter."""


class LossConfig(FrozenModel):
    """The loss."""

    name: LossName = "hardness"
    """ce, balanced_ce, ohem, focal or hardness. All train the same network on data in the same order."""
    c: Annotated[float, Field(ge=0)] = 0.1
    """Constant added to the sigmoid before normalisation; bounds the ratio of two weights to (1 + c) : c."""
    hardness_lambda: PositiveFloat = 0.01
    """Factor of the hardness branch's loss (the paper's lambda)."""
    normalize: Literal["batch", "image"] = "batch"
    """Whether weights sum to 1 over the batch (the authors' code) or over each image (the paper's figure)."""
    count_ignored: bool = False
    """Include ignored pixels in the sum of the weights, as the authors' code does."""
    observe_hardness: bool = True
    """Train a hardness branch alongside a baseline loss without weighting that loss, so that every run has a map."""
    ohem_threshold: Share = 0.7
    """OHEM keeps the pixels whose label has at most this probability."""
    ohem_keep: Share = 1 / 16
    """OHEM keeps at least this share of the labelled pixels."""
    with_ohem: bool = False
    """With the loss `hardness`: learn only from the pixels OHEM keeps, with weights that sum to 1."""
    focal_gamma: Annotated[float, Field(ge=0)] = 2.0
    """Exponent of the focal loss."""


class OptimConfig(FrozenModel):
    """Optimizers and schedules."""

    epochs: ListedCount = 12
    """Passes over the training images."""
    batch_size: PositiveInt = 8
    """Images per step on each device."""
    lr: PositiveFloat = 1e-3
    """Learning rate of the segmentation branch (peak of the schedule)."""
    encoder_lr: PositiveFloat | None = None
    """Learning rate of the encoder. Default: 0.3 lr."""
    weight_decay: Annotated[float, Field(ge=0)] = 1e-2
    """Decoupled weight decay (AdamW)."""
    schedule: Literal["one_cycle", "poly"] = "one_cycle"
    """one_cycle, or polynomial decay with power 0.9."""
    hardness_optimizer: Literal["sgd", "adamw"] = "sgd"
    """Optimizer of the hardness branch. With sgd (the authors' choice) lambda takes effect: the branch learns slowly
    and the map reflects past losses too. adamw cancels lambda: the map saturates and follows the current loss."""
    hardness_lr: PositiveFloat | None = None
    """Learning rate of the hardness branch (peak of its schedule). A higher rate separates easy from hard sooner and
    more sharply; a lower one keeps the map steadier between epochs. Default: 0.3 for sgd, lr for adamw."""
    hardness_momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Momentum of sgd: averages the branch's gradient over about 1 / (1 - momentum) steps. adamw ignores it."""
    hardness_weight_decay: Annotated[float, Field(ge=0)] | None = None
    """Weight decay of the hardness branch: pulls it towards a flat map, against saturation. Default: 5e-4 for sgd,
    weight_decay for adamw."""
    hardness_schedule: Literal["one_cycle", "poly", "constant"] | None = None
    """Schedule of the hardness branch's learning rate. Default: schedule."""
    clip_norm: PositiveFloat = 5.0
    """Maximum gradient norm, applied to the segmenter and the hardness branch separately."""

    def with_defaults(self) -> "OptimConfig":
        """The same settings with every default that depends on other settings written out.

        A run saves these, so that later changes of the defaults do not affect it.
        """
        sgd = self.hardness_optimizer == "sgd"
        decay = self.hardness_weight_decay
        filled = {
            "encoder_lr": self.encoder_lr or 0.3 * self.lr,
            "hardness_lr": self.hardness_lr or (HARDNESS_SGD_LR if sgd else self.lr),
            "hardness_weight_decay": (5e-4 if sgd else self.weight_decay) if decay is None else decay,
            "hardness_schedule": self.hardness_schedule or self.schedule,
        }
        return self.model_copy(update=filled)


class TrainConfig(FrozenModel):
    """One training run."""

    name: Annotated[str, Field(pattern=r"^[^./\\][^/\\]*$")] | None = None
    """Name of the run folder, without slashes or a leading dot. Default: data set, network and loss."""
    out: UserPath = Path("runs")
    """Folder for the runs."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of the weights, the data order and augmentation."""
    device: Device = "auto"
    """Device to train on."""
    devices: PositiveInt = 1
    """Number of devices, or of processes on the CPU."""
    nodes: PositiveInt = 1
    """Number of machines (started by torchrun or `fabric run`)."""
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] = "auto"
    """auto: bf16-mixed on GPUs that support it, 16-mixed on other GPUs, 32-true elsewhere."""
    threads: Annotated[int, Field(gt=0, le=1024)] | None = None
    """CPU threads per process. Default: PyTorch's own."""
    keep_epochs: ListedCount = 8
    """Number of epochs whose weights and probe maps are saved, evenly spaced from 0 to the last; 1 saves the last.
    The weights of the epoch with the highest validation mIoU are saved too."""
    keep_half: bool = True
    """Save weights as fp16, at half the size; validation uses the exact weights."""
    probe_images: Annotated[int, Field(ge=0, le=1_000_000)] = 8
    """Number of images whose maps are saved throughout training, half from training and half from validation."""
    hardness_from: UserPath | None = None
    """A run or hardness bundle whose saved maps weight the loss (the paper's transfer to other networks). Only for the
    loss `hardness`."""
    log: Tracker | None = None
    """Also send every number of metrics.jsonl to tensorboard, wandb or trackio."""
    network: NetworkConfig = NetworkConfig()
    data: DataConfig = DataConfig()
    augment: AugmentConfig = AugmentConfig()
    loss: LossConfig = LossConfig()
    optim: OptimConfig = OptimConfig()

    def with_absolute_paths(self) -> "TrainConfig":
        """The same settings with absolute paths, so that the run can be used from any working directory."""
        weights = self.network.encoder_weights
        if weights not in ("imagenet", "none"):
            weights = str(Path(weights).expanduser().absolute())
        changed = {
            "out": self.out.absolute(),
            "data": self.data.model_copy(
                update={"root": self.data.root and make_absolute(self.data.dataset, self.data.root)}
            ),
            "hardness_from": self.hardness_from and self.hardness_from.absolute(),
            "network": self.network.model_copy(update={"encoder_weights": weights}),
        }
        return self.model_copy(update=changed)

    @property
    def has_hardness(self) -> bool:
        """Whether the network has a hardness branch."""
        return self.loss.observe_hardness or (self.loss.name == "hardness" and self.hardness_from is None)

    @property
    def run_name(self) -> str:
        """The given name, or one made from the data set, network and loss."""
        return self.name or "-".join([self.data.dataset, self.network.network.replace("/", "-"), self.loss.name])


def _check_epochs(text: str) -> str:
    if re.fullmatch(r"all|\d+(,\d+)+", text) is None:
        raise ValueError(f"expected all, or several epochs such as 3,9,24, got {text!r}")
    return text


class ImportConfig(FrozenModel):
    """What is imported, and how it is understood."""

    out: UserPath = Path("runs")
    """Folder in which the run's folder is made."""
    name: str | None = None
    """Name of the run. Default: that of the folder."""
    images: UserPath | None = None
    """Folder of the images. Default: `images` in the folder."""
    labels: UserPath | None = None
    """Folder of the label maps. Default: `labels` in the folder, if there is one."""
    predictions: UserPath | None = None
    """Folder of the predictions. Default: `predictions` in the folder, if there is one."""
    score: str | None = None
    """The score that takes the place of hardness on every page. Default: `hardness` if there is one, else the first."""
    low_is_hard: tuple[str, ...] = ()
    """Scores whose low values mean hard pixels, such as a confidence; they are reversed."""
    ranges: tuple[str, ...] = ()
    """Ranges of scores, as NAME=LOW:HIGH. Default: from 0 to the highest value, or to 1 if that is between 0.5 and 1;
    from the lowest value if there are negative ones."""
    units: tuple[str, ...] = ()
    """Units of scores, as NAME=UNIT."""
    subfolders: Literal["auto", "scores", "steps"] = "auto"
    """Whether the folders of the maps are different scores, or steps such as epochs or methods. auto: steps if several
    names all end in a number, or if they have folders themselves."""
    skip_missing: bool = False
    """Leave out images without a map instead of stopping."""
    analyze: bool = True
    """Measure the maps when they are imported, if there are labels."""


class AnalyzeConfig(FrozenModel):
    """What `hlcore analyze` measures."""

    out: UserPath | None = None
    """Folder of the analysis. Default: RUN/analyses/DATASET-SPLIT."""
    dataset: str | None = None
    """streets, camvid, cityscapes, ade20k, voc, idd_lite, folder or hf. Default: the run's own data set."""
    split: str | None = None
    """Split to measure, such as val or test. Default: the run's validation split."""
    epoch: EpochChoice = None
    """A saved epoch, or `best` for the one with the highest validation mIoU. Default: the last."""
    epochs: Annotated[str, AfterValidator(_check_epochs)] | None = None
    """Saved epochs to compare for stability: `all`, or several such as 3,9,24. Default: none."""
    merge: UserPath | None = None
    """YAML or JSON file that maps the classes of the run to those of the data set, where the two differ. Default: the
    known mapping between two built-in data sets."""
    ignore: tuple[str, ...] = ()
    """A class to leave out, of the run or of the data set; give the option once per class."""
    mc_dropout: Annotated[int, Field(ge=0)] = 0
    """Number of Monte Carlo dropout passes (20 is usual) for an extra error score. Needs a network with dropout."""
    limit: PositiveInt | None = None
    """Measure at most this many images, evenly spaced."""
    thumbnails: bool = True
    """Save a thumbnail of each image and of its hardness map."""
    window: PositiveInt | None = None
    """Side of a sliding window, px. Default: whole images up to 4 megapixels, windows of 768 px for larger ones."""
    device: Device = "auto"
    """Device to run on; auto uses an accelerator if there is one."""
    backend: Backend = "auto"
    """What runs the network; auto: OpenVINO if installed, else ONNX Runtime, else torch. compile: torch.compile,
    which needs a C++ compiler and takes about a minute to start."""


def make_absolute(dataset: str, root: Path) -> Path:
    """The absolute path of a data set's folder; a name on the Hugging Face hub stays as it is.

    Columns may follow either: `NAME?image=COLUMN`.
    """
    is_folder = dataset != "hf" or root.exists() or Path(str(root).partition("?")[0]).exists()
    return root.absolute() if is_folder else root


Target = Literal["hardness", "loss", "rank", "tcp"]
FIT_LR: dict[Target, float] = {"hardness": 1.0, "loss": 0.1, "rank": 0.1, "tcp": 1.0}
"""Default learning rate for each target of `hlcore fit`; docs/decisions.md has the rule that chose them."""


class FitConfig(FrozenModel):
    """How `hlcore fit` learns a hardness branch for a trained network."""

    name: Annotated[str, Field(pattern=r"^[^./\\][^/\\]*$")] | None = None
    """Name of the run folder, without slashes or a leading dot. Default: the model's name and fit."""
    out: UserPath = Path("runs")
    """Folder for the runs."""
    dataset: str | None = None
    """streets, camvid, cityscapes, ade20k, voc, idd_lite, folder or hf. Default: the run's own data set, or folder."""
    split: str | None = None
    """Split to learn from. Variety matters more than whether the network has seen the images, so the training split
    does well. Default: that of the run, or train."""
    limit: PositiveInt | None = None
    """Learn from at most this many images, evenly spaced."""
    val_split: str | None = None
    """Split on which the lift is measured. Default: that of the run, or val if there is one, else a tenth of the
    split."""
    epoch: EpochChoice = None
    """Of a run: a saved epoch, or `best` for the one with the highest validation mIoU. Default: the last."""
    weights: UserPath | None = None
    """Weight file of a network known by name (.safetensors or .pth)."""
    network: NetworkConfig = NetworkConfig()
    """Settings of a network known by name, such as its encoder."""
    mean: tuple[float, float, float] | None = None
    """Mean of red, green and blue, 0 to 255, that the input is normalised with. Default: the network's own."""
    std: tuple[PositiveFloat, PositiveFloat, PositiveFloat] | None = None
    """Standard deviation of red, green and blue, likewise."""
    white_level: PositiveFloat | None = None
    """Value of white in images of more than 8 bits. Default: that of the run, or found in the images."""
    steps: ListedCount = 600
    """Number of steps at most; fitting ends earlier if the lift on validation images no longer rises."""
    batch_size: PositiveInt = 4
    """Images per step."""
    target: Target = "hardness"
    """What the map predicts. `hardness`: the paper's; `loss`: the logarithm of the cross entropy; `rank`: its order
    (Kirchhof et al., 2024); `tcp`: 1 minus the probability of the label (ConfidNet)."""
    lr: PositiveFloat | None = None
    """Peak of the learning rate of SGD. Default: 1 for hardness and tcp, 0.1 for loss and rank."""
    c: Annotated[float, Field(ge=0)] = 0.1
    """Constant added to the sigmoid before normalisation; bounds the ratio of two weights to (1 + c) : c."""
    hardness_lambda: PositiveFloat = 0.01
    """Factor of the loss (the paper's lambda)."""
    cache_mb: Annotated[float, Field(ge=0)] = 2048.0
    """Memory for features, MB. The network runs again on each image that does not fit."""
    keep_epochs: Annotated[int, Field(ge=2, le=1_000_000)] = 4
    """Number of epochs that are saved, evenly spaced from 0 to the last; each has the whole network."""
    probe_images: Annotated[int, Field(ge=0, le=1_000_000)] = 8
    """Number of images whose maps are saved throughout, half of them for validation."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of the branch and of the order of the images."""
    log: Tracker | None = None
    """Also send every number of metrics.jsonl to tensorboard, wandb or trackio."""
    device: Device = "auto"
    """Device to run on; auto uses an accelerator if there is one."""
