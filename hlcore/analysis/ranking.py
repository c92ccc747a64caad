"""How well a score ranks wrong pixels above right ones, from two histograms of the score.

Every function takes the numbers of right and wrong pixels per bin, lowest score first, along the last axis; leading
axes are kept. Pixels in one bin count as tied, like equal scores in scikit-learn. Each function has a `_bound`, the
largest error from binning. `single` marks bins that hold a single value of the score: their ties are real and add
nothing to a bound. Without right pixels or without wrong pixels every value is NaN.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import digamma

from hlcore.analysis.statistics import divide

Pixels = Float[np.ndarray, "*axes B"]
"""Numbers of pixels per bin."""
Sum = Float[np.ndarray, "*axes 1"]
"""Sums over all bins."""
Ratio = Float[np.ndarray, "*axes"]
Single = Bool[np.ndarray, "*#axes B"]

TPR = 0.95
"""Share of the wrong pixels flagged at FPR95."""


def auroc(right: Pixels, wrong: Pixels) -> Ratio:
    """Probability that a wrong pixel scores above a right one, ties counting half: 0.5 is chance, 1 perfect.

    Example:
        >>> round(float(auroc(np.array([2.0, 1.0, 0.0]), np.array([0.0, 1.0, 1.0]))), 4)
        0.9167
    """
    return _share(wrong * (_below(right) + right / 2), _total(right) * _total(wrong))


def auroc_bound(right: Pixels, wrong: Pixels, *, single: Single) -> Ratio:
    """Binning bound of `auroc`: half the share of wrong-right pairs that lie in one bin."""
    return _share(np.where(single, 0, right * wrong / 2), _total(right) * _total(wrong))


def average_precision(right: Pixels, wrong: Pixels) -> Ratio:
    """Mean precision over the wrong pixels, each at the threshold that just flags it (AP-Error); chance is their share.

    Example:
        >>> round(float(average_precision(np.array([2.0, 1.0, 0.0]), np.array([0.0, 1.0, 1.0]))), 4)
        0.8333
    """
    return _share(_precision_sum(right, wrong), _wrong_beside_right(right, wrong))


def average_precision_bound(right: Pixels, wrong: Pixels, *, single: Single) -> Ratio:
    """Binning bound of `average_precision`.

    In the best order within a bin, all wrong pixels tie above the right ones; in the worst, they follow one by one.
    """
    caught, flagged = _above(wrong), _above(right + wrong)
    best = wrong * _fraction(caught + wrong, flagged + wrong)
    worst = _ramp_sum(caught, flagged + right, wrong)
    return _largest_deviation(best, _precision_sum(right, wrong), worst, single, _wrong_beside_right(right, wrong))


def fpr_at_tpr(right: Pixels, wrong: Pixels, *, tpr: float = TPR) -> Ratio:
    """Share of the right pixels flagged when `tpr` of the wrong ones are; 0 is perfect, `tpr` chance.

    Example:
        >>> round(float(fpr_at_tpr(np.array([2.0, 1.0, 0.0]), np.array([0.0, 1.0, 1.0]))), 4)
        0.3333
    """
    flagged = np.where(_is_threshold(wrong, tpr), _above(right) + right, 0)
    return _share(flagged, np.where(_total(wrong) > 0, _total(right), 0))


def fpr_at_tpr_bound(right: Pixels, wrong: Pixels, *, single: Single, tpr: float = TPR) -> Ratio:
    """Binning bound of `fpr_at_tpr`: the share of the right pixels in the bin of the threshold."""
    tied = np.where(_is_threshold(wrong, tpr) & ~single, right, 0)
    return _share(tied, np.where(_total(wrong) > 0, _total(right), 0))


def aurc(right: Pixels, wrong: Pixels) -> Ratio:
    """Area under the risk-coverage curve: the mean error rate of the pixels kept, lowest scores first; lower is better.

    Tied pixels are kept in random order. Chance is the error rate.

    Example:
        >>> round(float(aurc(np.array([2.0, 1.0, 0.0]), np.array([0.0, 1.0, 1.0]))), 4)
        0.1633

    Source: Geifman, Uziel, El-Yaniv, ICLR 2019.
    """
    return _share(_risk_sum(right, wrong), _pixels_of_both(right, wrong))


def aurc_bound(right: Pixels, wrong: Pixels, *, single: Single) -> Ratio:
    """Binning bound of `aurc`: in the best order within bins right pixels are kept first, in the worst last."""
    missed, kept = _below(wrong), _below(right + wrong)
    best = missed * _harmonic_sum(kept, right) + _ramp_sum(missed, kept + right, wrong)
    worst = _ramp_sum(missed, kept, wrong) + (missed + wrong) * _harmonic_sum(kept + wrong, right)
    return _largest_deviation(worst, _risk_sum(right, wrong), best, single, _pixels_of_both(right, wrong))


def error_rate(right: Pixels, wrong: Pixels) -> Ratio:
    """Share of the pixels that are wrong."""
    return _share(wrong, _total(right + wrong))


def _total(pixels: Pixels) -> Sum:
    return pixels.sum(axis=-1, keepdims=True)


def _below(pixels: Pixels) -> Pixels:
    """Pixels in lower bins."""
    return np.cumsum(pixels, axis=-1) - pixels


def _above(pixels: Pixels) -> Pixels:
    """Pixels in higher bins."""
    return _total(pixels) - np.cumsum(pixels, axis=-1)


def _share(parts: Pixels, whole: Sum) -> Ratio:
    """Sum over the bins, divided by a whole with a last axis of length 1."""
    return divide(_total(parts), whole)[..., 0]


def _largest_deviation(highest: Pixels, value: Pixels, lowest: Pixels, single: Single, whole: Sum) -> Ratio:
    """The larger distance from the value to either bound; single bins are left out."""
    up, down = (_share(np.where(single, 0, off), whole) for off in (highest - value, value - lowest))
    return np.asarray(np.maximum(up, down))  # without leading axes NumPy returns a scalar


def _wrong_beside_right(right: Pixels, wrong: Pixels) -> Sum:
    """Number of wrong pixels; 0 without right ones."""
    return np.where(_total(right) > 0, _total(wrong), 0)


def _pixels_of_both(right: Pixels, wrong: Pixels) -> Sum:
    """Number of pixels; 0 if all are right or all are wrong."""
    return np.where((_total(right) > 0) & (_total(wrong) > 0), _total(right + wrong), 0)


def _fraction(part: Pixels, whole: Pixels) -> Pixels:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _precision_sum(right: Pixels, wrong: Pixels) -> Pixels:
    """For each bin, the precision at its lower end summed over its wrong pixels."""
    caught = _above(wrong) + wrong
    return wrong * _fraction(caught, caught + _above(right) + right)


def _is_threshold(wrong: Pixels, tpr: float) -> Bool[np.ndarray, "*axes B"]:
    """True at the highest bin that, with those above it, holds at least `tpr` of the wrong pixels."""
    needed = tpr * _total(wrong) * (1 - 1e-12)  # 0.95 is not exact in binary
    return (_above(wrong) + wrong >= needed) & (_above(wrong) < needed)


def _harmonic_sum(start: Pixels, count: Pixels) -> Pixels:
    """Sum of 1 / (start + j) over j = 1..count."""
    return digamma(start + count + 1) - digamma(start + 1)


def _ramp_sum(part: Pixels, whole: Pixels, count: Pixels, slope: Pixels | float = 1.0) -> Pixels:
    """Sum of (part + slope j) / (whole + j) over j = 1..count."""
    return slope * count + (part - slope * whole) * _harmonic_sum(whole, count)


def _risk_sum(right: Pixels, wrong: Pixels) -> Pixels:
    """For each bin, the error rate among the pixels kept so far, summed over its pixels in random order."""
    pixels = right + wrong
    return _ramp_sum(_below(wrong), _below(pixels), pixels, slope=_fraction(wrong, pixels))
