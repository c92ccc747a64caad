"""What the page About the method says beside the drawing."""

EQUATIONS = (
    r"S = \sigma(D) \in (0, 1)",
    r"w_i = \frac{S_i + c}{\sum_j (S_j + c)}",
    r"L_\mathrm{seg} = \sum_i \mathrm{detach}(w_i)\; \mathrm{ce}_i",
    r"L_\mathrm{hard} = -\lambda \sum_i w_i\; \mathrm{detach}(\mathrm{ce}_i)",
)
SYMBOLS = (
    "*D* is what the hardness branch gives for each pixel, *S* the hardness map, the thing to look at; *w* the weight "
    "in the loss; *ce* the cross entropy of a pixel, 0 where it has no label. By default *c* = {c:g}, which bounds the "
    "weights of two pixels to {ratio:g} : 1, and λ = {hardness_lambda:g}. The hardness branch makes the weighted loss "
    "**large**: it looks for the pixels whose loss is high. As the weights sum to 1, it can raise one only at the cost "
    "of the others."
)
WALLS = (
    "1. **Features into the hardness branch.** Its loss trains no weight of the encoder. What the encoder learns, it "
    "learns for segmentation.\n"
    "2. **Weight into the segmentation loss.** The network cannot make its loss small by calling easy what it gets "
    "wrong.\n"
    "3. **Cross entropy into the hardness loss.** The hardness branch cannot make pixels hard; it can only find them."
    "\n\nSo the hardness branch can be left out afterwards: prediction and probabilities stay the same, bit for bit, "
    "and cost no more than without it."
)
PACE = "The hardness loss is linear in *S*, so each pixel is pushed by"
PUSH = (
    r"-\frac{\partial L_\mathrm{hard}}{\partial S_i} = \lambda\, "
    r"\frac{\mathrm{ce}_i - \sum_j w_j\, \mathrm{ce}_j}{\sum_j (S_j + c)}"
)
PACE_MEANS = (
    "towards 1 where its loss lies above the weighted mean loss, towards 0 elsewhere, and only time holds it in "
    "between. So hardness answers *is this place harder than the average loss?*, and not *how much harder?* A branch "
    "that learns as fast as the segmenter reaches 0 or 1 within an epoch and then jumps with the loss of each epoch. "
    "Under SGD the small λ makes it a hundred times slower: it adds up where the loss was high over many epochs, so "
    "the map can hold still while the loss fades. AdamW divides λ away. The branch therefore has an optimizer of its "
    "own (`optim.hardness_optimizer`, SGD by default) with its own learning rate."
)
SUMS = (
    "The paper's figure divides by the sum over one picture, the authors' code by that over the whole batch, ignored "
    "pixels included. Here `normalize` is `batch` (the default) or `image`, and `count_ignored` is off by default: "
    "`batch` with `count_ignored` on is the authors' code. With `image`, every labelled picture holds an equal share "
    "of the loss. On several devices each sums over its own part of the batch."
)
BASELINES = (
    "Plain cross entropy, balanced cross entropy (weighted by class), OHEM (only the pixels of low probability) and "
    "focal loss train the same network on the same data in the same order. A hardness branch may watch beside any of "
    "them without steering it, so every run can have a hardness map."
)
LIMITS = (
    "- **Not a measure of how hard.** The objective only asks on which side of the weighted mean loss a pixel lies; "
    "the order of the pixels *within* either side is weak by design. Fidelity (agreement with the loss of networks "
    "trained from other seeds) shows it: entropy orders pixels better.\n"
    "- **Not uncertainty.** It says where the loss tended to be high in training, not how likely this prediction is "
    "wrong. As a predictor of errors it loses, over all pixels of every data set that was measured here, to 1 − max "
    "softmax and to entropy, which every network gives for free.\n"
    "- **Not calibrated.** 0.5 is no probability of anything; only the order and the ratios within one run mean "
    "something.\n"
    "- **Not comparable across runs.** Nothing fixes its level: two runs may rank pixels alike at other levels.\n"
    "- **Much of it is edges.** An edge map alone explains a good part of it. The pages Edges, Objects and Errors each "
    "hold the distance to the edge still, to see what is left.\n\n"
    "`docs/results.md`, which comes with the project, has the numbers behind this, with intervals: *Where hardness "
    "loses* is its first section."
)
SOURCES = (
    "Xiao et al., *Not All Pixels Are Equal: Learning Pixel Hardness for Semantic Segmentation*, IJCV 2025: "
    "[doi 10.1007/s11263-025-02416-4](https://doi.org/10.1007/s11263-025-02416-4), "
    "[arXiv 2305.08462](https://arxiv.org/abs/2305.08462)."
)
