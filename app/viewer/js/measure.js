// Measuring: values at a pixel, the effect of a threshold, and means inside a rectangle, an object or a hard region.
import { lowestKept } from "./colours.js";
import { hiding, layerOf, numbersOf, objectLayer, objectOf, planeOf } from "./paint.js";
import { derived, isDerived, MOST, NO_VALUE, pixelsOf } from "./planes.js";

const valueAt = ({ numbers, low, high }, at) =>
  numbers[at] === NO_VALUE ? null : low + (numbers[at] / MOST) * (high - low);

// The value of a layer at a pixel as text; null while it is loading.
export function readValue(viewer, layer, step, at) {
  const found = numbersOf(viewer, layer, step);
  if (!found || layer.kind === "image") return null;
  if (layer.kind === "errors") return ["right", "wrong", "unlabelled"][found.numbers[at]];
  if (layer.kind === "classes") return layer.classes[found.numbers[at]]?.[0] ?? "unlabelled";
  const value = valueAt(found, at);
  return value === null ? "–" : value.toFixed(layer.digits) + layer.unit;
}

// Cumulative histograms, from the top, of a value layer: over the counted pixels (labelled if there are labels, and not of
// a hidden class), and over the wrong ones among them. They answer every threshold at once.
function counts(viewer, layer, step, { later = false } = {}) {
  const found = numbersOf(viewer, layer, step), labelled = layerOf(viewer, "Errors");
  const errors = labelled && numbersOf(viewer, labelled, step), { hides, classes, name: hidden } = hiding(viewer, layer, step);
  if (!found || (labelled && !errors) || hidden === null) return null; // still loading
  const name = ["counts", found.name, errors?.name, hidden].join(" ");
  if (later && !isDerived(name)) return null;
  return derived(name, 8 * (NO_VALUE + 1), () => {
    const all = new Uint32Array(NO_VALUE + 1), wrong = new Uint32Array(NO_VALUE + 1);
    const numbers = found.numbers, error = errors?.numbers;
    let pixels = 0;
    for (let i = 0; i < numbers.length; i++) {
      const v = numbers[i];
      if (v === NO_VALUE || (error && error[i] === 2) || (hides && hides[classes[i]])) continue;
      all[v]++;
      pixels++;
      if (error && error[i] === 1) wrong[v]++;
    }
    for (let v = MOST - 1; v >= 0; v--) {
      all[v] += all[v + 1];
      wrong[v] += wrong[v + 1];
    }
    return { all, wrong: error ? wrong : null, pixels };
  });
}

// Mean of a value layer over all pixels with a value.
export function meanOf(viewer, layer, step, { later = false } = {}) {
  const found = numbersOf(viewer, layer, step);
  if (!found || (later && !isDerived(`mean ${found.name}`))) return null;
  const { sum, pixels } = derived(`mean ${found.name}`, 16, () => {
    let sum = 0, pixels = 0;
    for (const number of found.numbers) {
      if (number === NO_VALUE) continue;
      sum += number;
      pixels++;
    }
    return { sum, pixels };
  });
  return pixels ? found.low + (sum / pixels / MOST) * (found.high - found.low) : null;
}

// Share of wrong pixels among the labelled ones.
export function errorRate(viewer, layer, step, { later = false } = {}) {
  const found = numbersOf(viewer, layer, step);
  if (!found || (later && !isDerived(`rate ${found.name}`))) return null;
  const { wrong, labelled } = derived(`rate ${found.name}`, 16, () => {
    let wrong = 0, labelled = 0;
    for (const error of found.numbers) {
      if (error === 2) continue;
      labelled++;
      wrong += error;
    }
    return { wrong, labelled };
  });
  return labelled ? wrong / labelled : null;
}

// Shares of the pixels and errors above a threshold, and its precision.
export function keptBy(viewer, layer, step, options) {
  const range = numbersOf(viewer, layer, step), found = range && counts(viewer, layer, step, options);
  if (!found) return null;
  const from = Math.min(MOST, lowestKept(viewer, layer, range));
  const flagged = found.all[from], hits = found.wrong?.[from];
  return {
    pixels: flagged / found.pixels,
    errors: found.wrong ? hits / found.wrong[0] : null,
    precision: found.wrong ? hits / flagged : null,
  };
}

// The threshold that keeps at least this share of the pixels.
export function thresholdFor(viewer, layer, step, share) {
  const range = numbersOf(viewer, layer, step), found = range && counts(viewer, layer, step);
  if (!found) return null;
  let from = MOST;
  while (from > 0 && found.all[from] < share * found.pixels - 1e-9) from--;
  return range.low + (from / MOST) * (range.high - range.low);
}

// Means of hardness, loss and errors over the pixels of a rectangle that are `inside`; `whole` once all are loaded.
export function means(viewer, step, [left, top, right, bottom], inside = () => true) {
  const width = viewer.scene.width;
  const values = ["Hardness", "Loss"].map((name) => layerOf(viewer, name)).filter(Boolean);
  const found = values.map((layer) => ({ layer, ...numbersOf(viewer, layer, step), sum: 0, count: 0 }));
  const errors = layerOf(viewer, "Errors") && numbersOf(viewer, layerOf(viewer, "Errors"), step);
  let pixels = 0, labelled = 0, wrong = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = y * width + x;
      if (!inside(at)) continue;
      pixels++;
      for (const one of found) {
        if (!one.numbers || one.numbers[at] === NO_VALUE) continue;
        one.sum += one.numbers[at];
        one.count++;
      }
      if (errors && errors.numbers[at] !== 2) {
        labelled++;
        wrong += errors.numbers[at];
      }
    }
  }
  const mean = (one) => (one.count ? one.low + (one.sum / one.count / MOST) * (one.high - one.low) : null);
  return {
    pixels,
    means: found.map((one) => ({ layer: one.layer, mean: mean(one) })),
    errorRate: labelled ? wrong / labelled : null,
    whole: found.every((one) => one.numbers) && errors !== null,
  };
}

// The object at a pixel: its number, plane, bounding box and class.
export function objectAt(viewer, step, at) {
  const layer = objectLayer(viewer), plane = layer && planeOf(layer, step), numbers = pixelsOf(plane);
  const number = numbers && objectOf(numbers, at);
  if (!number) return null;
  const { width } = viewer.scene, boxes = derived(`boxes ${plane.digest} ${width}`, numbers.length / 4, () => boxesOf(numbers, width));
  const classes = layerOf(viewer, layer.of[0]), map = classes && pixelsOf(planeOf(classes, step));
  return { number, plane: plane.digest, box: boxes.get(number), name: map ? (classes.classes[map[at]]?.[0] ?? "") : "", inside: (i) => numbers[i] === number };
}

function boxesOf(numbers, width) {
  const boxes = new Map();
  for (let at = 0; at < numbers.length; at++) {
    const number = objectOf(numbers, at);
    if (!number) continue;
    const x = at % width, y = (at - x) / width, box = boxes.get(number);
    if (!box) boxes.set(number, [x, y, x + 1, y + 1]);
    else {
      if (x < box[0]) box[0] = x;
      if (x >= box[2]) box[2] = x + 1;
      if (y >= box[3]) box[3] = y + 1;
    }
  }
  return boxes;
}

// The connected region (8 neighbours) above a threshold around a pixel.
export function regionAt(viewer, layer, step, at) {
  const found = numbersOf(viewer, layer, step);
  if (!found) return null;
  const { width, height } = viewer.scene, { numbers } = found, from = Math.max(1, lowestKept(viewer, layer, found));
  const isKept = (i) => numbers[i] >= from && numbers[i] !== NO_VALUE;
  if (!isKept(at)) return null;
  const seen = new Uint8Array(numbers.length), open = [at], box = [width, height, 0, 0];
  seen[at] = 1;
  while (open.length) {
    const i = open.pop(), x = i % width, y = (i - x) / width;
    box[0] = Math.min(box[0], x); box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x + 1); box[3] = Math.max(box[3], y + 1);
    for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
      for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
        const next = v * width + u;
        if (!seen[next] && isKept(next)) {
          seen[next] = 1;
          open.push(next);
        }
      }
    }
  }
  return { box, inside: (i) => seen[i] === 1 };
}
