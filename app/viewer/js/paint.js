// Painting panels at screen resolution, so that images of any size are redrawn quickly.
//
// Enlarged, a screen pixel shows the image pixel below it, so pixels stay crisp squares. Reduced, it shows the mean of
// several, at most FINE x FINE; fewer while the user moves something, to keep within the time of a frame.
import { classColours, lowestKept, valueColours } from "./colours.js";
import { derived, MOST, NO_VALUE, pixelsOf } from "./planes.js";
import { placement } from "./view.js";

const FINE = 4;
const FRAME_MS = 14; // for all panels during interaction
let sampleMs = 1e-5; // measured time of a sample
const LINE = [0, 229, 255], MARK = [255, 230, 0];

export const layerOf = (viewer, name) => viewer.layers.get(name);

export const planeOf = (layer, step) => layer?.planes[step] ?? layer?.planes[""];

// The numbers of a layer at a step and their range; null while loading or if there are none.
export function numbersOf(viewer, layer, step) {
  if (layer.kind === "change") return viewer.scene.steps.length < 2 ? null : changeOf(viewer, layerOf(viewer, layer.of[0]), step);
  if (layer.kind === "errors") return errorsOf(viewer, layer, step);
  const plane = planeOf(layer, step), numbers = pixelsOf(plane);
  return numbers && { numbers, low: plane.low, high: plane.high, name: plane.digest };
}

function changeOf(viewer, layer, step) {
  const now = planeOf(layer, step), then = planeOf(layer, viewer.view.other);
  const a = pixelsOf(then), b = pixelsOf(now);
  if (!a || !b) return null;
  const name = `${then.digest} to ${now.digest}`, reach = now.high - now.low;
  const numbers = derived(name, 2 * a.length, () => {
    const made = new Uint16Array(a.length);
    for (let i = 0; i < a.length; i++) {
      made[i] = a[i] === NO_VALUE || b[i] === NO_VALUE ? NO_VALUE : (b[i] - a[i] + MOST) >> 1;
    }
    return made;
  });
  return { numbers, low: -reach, high: reach, name };
}

// 1 where the classes of two layers differ, 0 where they agree, 2 where the second has no class.
function errorsOf(viewer, layer, step) {
  const [first, second] = layer.of.map((name) => planeOf(layerOf(viewer, name), step));
  const predicted = pixelsOf(first), labelled = pixelsOf(second);
  if (!predicted || !labelled) return null;
  const name = `${first.digest} against ${second.digest}`;
  const numbers = derived(name, predicted.length, () => {
    const made = new Uint8Array(predicted.length);
    for (let i = 0; i < made.length; i++) made[i] = labelled[i] === 255 ? 2 : predicted[i] === labelled[i] ? 0 : 1;
    return made;
  });
  return { numbers, low: 0, high: 1, name };
}

// The layers of a panel from bottom to top; null while one is loading.
function stackOf(viewer, layer, step) {
  const image = [...viewer.layers.values()].find((one) => one.kind === "image");
  const base = image && pixelsOf(planeOf(image, step));
  if (image && !base) return null;
  const stack = { base: base ?? null, dim: layer.dim, grey: viewer.view.grey, numbers: null, table: null, hides: null, classes: null };
  if (layer.kind === "image") return stack;
  const found = numbersOf(viewer, layer, step);
  if (!found) return null;
  const coloured = layer.kind === "values" || layer.kind === "change";
  const table = coloured ? valueColours(viewer, layer, found) : classColours(viewer, layer);
  const { hides, classes } = hiding(viewer, layer, step);
  return { ...stack, numbers: found.numbers, table, hides, classes };
}

// The hidden classes, and the map they are looked up in: the layer itself, else labels, else prediction.
// `name` changes with both; null while the map is loading.
export function hiding(viewer, layer, step) {
  const legends = [...viewer.layers.values()].filter((one) => one.legend);
  const own = layer.legend ? layer : (legends.find((one) => one.name === "Labels") ?? legends[0]);
  const hidden = own ? own.classes.flatMap(([name], index) => (viewer.view.hidden.includes(name) ? [index] : [])) : [];
  if (!hidden.length) return { hides: null, classes: null, name: "" };
  const plane = planeOf(own, step), classes = pixelsOf(plane);
  if (!classes) return { hides: null, classes: null, name: null };
  const hides = new Uint8Array(256);
  for (const index of hidden) hides[index] = 1;
  return { hides, classes, name: `${plane.digest} without ${hidden}` };
}

// Paints a panel; false if something it needs is still loading.
export function paint(viewer, panel, { fine }) {
  const { canvas } = panel;
  const layer = layerOf(viewer, panel.layer), stack = layer && stackOf(viewer, layer, panel.step);
  if (!stack) return false;
  const { width, height } = canvas;
  const place = placement(viewer.scene, viewer.view.zoom, width, height);
  const samples = samplesFor(viewer, place.scale, width * height, fine), began = performance.now();
  const columns = positions(width, place.left, place.scale, viewer.scene.width, samples);
  const rows = positions(height, place.top, place.scale, viewer.scene.height, samples);
  if (panel.picture?.width !== width || panel.picture?.height !== height) panel.picture = new ImageData(width, height);
  const out = new Uint32Array(panel.picture.data.buffer);
  const other = comparedStack(viewer, panel, layer);
  const cut = other && viewer.view.compare === "wipe" ? Math.round(viewer.view.at * width) : width;
  const first = other && viewer.view.compare === "blink" && viewer.blinked ? other : stack;
  paintColumns(out, width, 0, cut, first, columns, rows, samples, viewer.scene.width);
  if (cut < width) paintColumns(out, width, cut, width, other, columns, rows, samples, viewer.scene.width);
  drawOutlines(viewer, panel, out, width, columns, rows, samples);
  canvas.getContext("2d").putImageData(panel.picture, 0, 0);
  sampleMs += 0.2 * ((performance.now() - began) / (samples * samples * width * height) - sampleMs);
  return true;
}

function comparedStack(viewer, panel, layer) {
  const against = viewer.view.compare && layerOf(viewer, viewer.view.against);
  return against && against !== layer ? stackOf(viewer, against, panel.step) : null;
}

function samplesFor(viewer, scale, area, fine) {
  if (scale >= 1) return 1;
  const whole = Math.min(FINE, Math.ceil(1 / scale));
  const panels = viewer.panels.filter((panel) => panel.layer).length || 1;
  return fine ? whole : Math.min(whole, Math.max(1, Math.floor(Math.sqrt(FRAME_MS / sampleMs / panels / area))));
}

// For each sample of each screen pixel along one side: the image pixel, or -1 outside the image.
function positions(length, start, scale, size, samples) {
  const found = new Int32Array(length * samples);
  for (let i = 0; i < found.length; i++) {
    const at = Math.floor(((i + 0.5) / samples - start) / scale);
    found[i] = at >= 0 && at < size ? at : -1;
  }
  return found;
}

function paintColumns(out, width, from, to, stack, columns, rows, samples, size) {
  const { base, numbers, table, hides, classes, dim, grey } = stack;
  const height = rows.length / samples;
  for (let j = 0; j < height; j++) {
    for (let i = from; i < to; i++) {
      let r = 0, g = 0, b = 0, count = 0;
      for (let q = j * samples; q < (j + 1) * samples; q++) {
        const row = rows[q] * size;
        if (row < 0) continue;
        for (let p = i * samples; p < (i + 1) * samples; p++) {
          if (columns[p] < 0) continue;
          const at = row + columns[p];
          count++;
          let colour = numbers === null ? 0 : table[numbers[at]];
          if (hides !== null && hides[classes[at]] === 1) colour = 0;
          const alpha = colour >>> 24;
          if (alpha === 255) {
            r += colour & 255;
            g += (colour >> 8) & 255;
            b += (colour >> 16) & 255;
            continue;
          }
          let br = 0, bg = 0, bb = 0;
          if (base !== null) {
            br = base[4 * at];
            bg = base[4 * at + 1];
            bb = base[4 * at + 2];
            const dark = dim || (numbers !== null && colour === 0);
            if (dark || grey) br = bg = bb = (dark ? 0.45 : 1) * (0.299 * br + 0.587 * bg + 0.114 * bb);
          }
          const share = alpha / 255;
          r += br + share * ((colour & 255) - br);
          g += bg + share * (((colour >> 8) & 255) - bg);
          b += bb + share * (((colour >> 16) & 255) - bb);
        }
      }
      if (count === 0) out[j * width + i] = 0;
      else if (count === 1) out[j * width + i] = 0xff000000 | ((b + 0.5) << 16) | ((g + 0.5) << 8) | (r + 0.5);
      else out[j * width + i] = 0xff000000 | ((b / count + 0.5) << 16) | ((g / count + 0.5) << 8) | (r / count + 0.5);
    }
  }
}

// Outlines of objects or hard regions, one screen pixel wide at every zoom.
function drawOutlines(viewer, panel, out, width, columns, rows, samples) {
  const kind = outlined(viewer, panel);
  if (!kind) return;
  const { inside, marked } = kind, size = viewer.scene.width;
  const height = rows.length / samples;
  const line = packLine(LINE), mark = packLine(MARK);
  const before = new Int32Array(width);
  for (let j = 0; j < height; j++) {
    let left = 0;
    for (let i = 0; i < width; i++) {
      const x = columns[i * samples], y = rows[j * samples];
      const here = x < 0 || y < 0 ? 0 : inside(y * size + x);
      const above = j ? before[i] : here;
      left = i ? left : here;
      if (here !== above || here !== left) {
        const isMarked = marked > 0 && (here === marked || above === marked || left === marked);
        if (isMarked || !kind.markedOnly) out[j * width + i] = isMarked ? mark : line;
      }
      before[i] = left = here;
    }
  }
}

export const objectLayer = (viewer) => [...viewer.layers.values()].find((layer) => layer.kind === "objects");

// The object number at a pixel, 0 for none, also if there are too many objects to number.
export const objectOf = (numbers, at) => (numbers[at] === NO_VALUE ? 0 : numbers[at]);

function outlined(viewer, panel) {
  const { view } = viewer, objects = objectLayer(viewer);
  const plane = objects && planeOf(objects, panel.step);
  const selected = !viewer.selectedIn || viewer.selectedIn === plane?.digest ? viewer.selected : 0;
  if (objects && (view.outlines === "objects" || selected)) {
    const numbers = pixelsOf(plane);
    if (!numbers) return null;
    const marked = view.outlines === "objects" && viewer.over ? viewer.over : selected;
    return { inside: (at) => objectOf(numbers, at), marked, markedOnly: view.outlines !== "objects" };
  }
  const region = view.outlines === "regions" && regionLayer(viewer);
  const found = region && numbersOf(viewer, region, panel.step);
  if (!found) return null;
  const kept = Math.max(1, lowestKept(viewer, region, found));
  return { inside: (at) => (found.numbers[at] >= kept && found.numbers[at] !== NO_VALUE ? 1 : 0), marked: 0, markedOnly: false };
}

// The layer whose hard regions are outlined: the first with a threshold.
export const regionLayer = (viewer) => {
  const name = Object.keys(viewer.view.above).find((one) => viewer.layers.has(one));
  return name === undefined ? null : layerOf(viewer, name);
};

const packLine = ([r, g, b]) => (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
