"""Texts of the page About the method."""

EQUATIONS = (
    r"S = \sigma(D) \in (0, 1)",
    r"w_i = \frac{S_i + c}{\sum_j (S_j + c)}",
    r"L_\mathrm{seg} = \sum_i \mathrm{detach}(w_i)\; \mathrm{ce}_i",
    r"L_\mathrm{hard} = -\lambda \sum_i w_i\; \mathrm{detach}(\mathrm{ce}_i)",
)
SYMBOLS = (
    "*D* is the output of the hardness branch, *S* the hardness map that the app shows, *w* the weight in the loss, "
    "and *ce* the cross entropy of a pixel, 0 where it has no label. By default *c* = {c:g}, which limits the ratio "
    "of two weights to {ratio:g} : 1, and λ = {hardness_lambda:g}. The hardness branch **maximises** the weighted "
    "loss, so it gives high weights to pixels with a high loss. As the weights sum to 1, it can "
    "raise one only by lowering others."
)
GRADIENT_STOPS = (
    "1. **Features into the hardness branch.** The hardness loss does not train the encoder, which learns from the "
    "segmentation loss alone.\n"
    "2. **Weight into the segmentation loss.** The network cannot lower its loss by declaring its mistakes easy.\n"
    "3. **Cross entropy into the hardness loss.** The hardness branch cannot make pixels hard; it can only find them."
    "\n\nThe hardness branch can therefore be removed after training: predictions stay bit-identical and cost no more "
    "than without it."
)
LEARNING_SPEED = "The hardness loss is linear in *S*, so it pushes each pixel by"
SATURATION_EQUATION = (
    r"-\frac{\partial L_\mathrm{hard}}{\partial S_i} = \lambda\, "
    r"\frac{\mathrm{ce}_i - \sum_j w_j\, \mathrm{ce}_j}{\sum_j (S_j + c)}"
)
SATURATION = (
    "towards 1 where its loss is above the weighted mean loss and towards 0 elsewhere; only slow learning keeps it in "
    "between. Hardness therefore answers *is this pixel harder than average?*, not *how much harder?* A branch that "
    "learns as fast as the segmenter reaches 0 or 1 within an epoch and then follows the loss of each epoch. With SGD, "
    "the small λ makes it a hundred times slower: it accumulates where the loss was high over many epochs, so the map "
    "can stay stable while the loss fades. AdamW would cancel λ. The branch therefore has its own optimizer "
    "(`optim.hardness_optimizer`, SGD by default) and learning rate."
)
NORMALISATION = (
    "The figure in the paper normalises the weights over one image, the authors' code over the whole batch including "
    "ignored pixels. Here `normalize` is `batch` (default) or `image`, and `count_ignored` is off by default; `batch` "
    "with `count_ignored` on matches the authors' code. With `image`, every labelled image has an equal share of the "
    "loss. With several devices, each normalises over its own part of the batch."
)
BASELINES = (
    "Plain cross entropy, balanced cross entropy (weighted by class), OHEM (only the pixels of low probability) and "
    "focal loss train the same network on the same data in the same order. A hardness branch can be trained beside "
    "any of them without affecting it, so every run can have a hardness map."
)
LIMITS = (
    "- **Only a coarse order.** The objective depends only on which side of the weighted mean loss a pixel is; "
    "the order of pixels on either side is weak by design. Fidelity (agreement with the loss of networks trained from "
    "other seeds) shows this: entropy orders pixels better.\n"
    "- **Not uncertainty.** Hardness shows where the loss tended to be high during training, not how likely this "
    "prediction is wrong. As a predictor of errors it is worse than 1 − max softmax and entropy, which any network "
    "provides at no cost, over all pixels of every data set measured here. To find errors, use the suspicion of error "
    "(`hlcore suspicion RUN`), a small model on such scores.\n"
    "- **Not calibrated.** 0.5 is not a probability; only the order and ratios within one run are meaningful.\n"
    "- **Not comparable across runs.** Its level is not fixed: two runs may rank pixels alike at different levels.\n"
    "- **Mostly edges.** An edge map alone explains much of it. The pages Edges, Objects and Errors therefore also "
    "compare pixels at equal distance from an edge.\n\n"
    "`docs/results.md` in the project has the numbers behind this, with intervals."
)
SOURCES = (
    "Xiao et al., *Not All Pixels Are Equal: Learning Pixel Hardness for Semantic Segmentation*, IJCV 2025: "
    "[doi 10.1007/s11263-025-02416-4](https://doi.org/10.1007/s11263-025-02416-4), "
    "[arXiv 2305.08462](https://arxiv.org/abs/2305.08462)."
)
