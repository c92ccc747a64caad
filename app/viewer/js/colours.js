// Colour tables: number to colour, packed for the canvas (alpha, blue, green, red).
import { MOST, NO_VALUE } from "./planes.js";

// Never 0, which means that nothing is drawn.
const packed = (r, g, b, alpha) => ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0 || 1;

export function parseScales(scales) {
  const bytes = (text) => Uint8Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
  return Object.fromEntries(Object.entries(scales).map(([name, text]) => [name, bytes(text)]));
}

export const scaleOf = (viewer, layer) => viewer.scales[layer.scale ?? viewer.view.scale];

export const highOf = (viewer, layer) => (layer.ranges.length ? viewer.view.nats : layer.high);

export const lowOf = (viewer, layer) => (layer.kind === "change" ? -highOf(viewer, layer) : layer.low);

const level = (range, value) => ((value - range.low) / (range.high - range.low)) * MOST;

// The lowest plane number that is shown; 0 shows all.
export function lowestKept(viewer, layer, range) {
  const above = viewer.view.above[layer.name];
  return above === undefined ? 0 : Math.max(0, Math.round(level(range, above)));
}

// A table of 65536 colours for values; 0 is not drawn.
export function valueColours(viewer, layer, range) {
  const colours = scaleOf(viewer, layer);
  const alpha = layer.over ? Math.round(2.55 * viewer.view.opacity) : 255;
  const low = level(range, lowOf(viewer, layer)), high = level(range, highOf(viewer, layer));
  const kept = lowestKept(viewer, layer, range);
  const table = new Uint32Array(NO_VALUE + 1);
  for (let v = kept; v < NO_VALUE; v++) {
    const c = 3 * Math.round(255 * Math.min(1, Math.max(0, (v - low) / (high - low))));
    table[v] = packed(colours[c], colours[c + 1], colours[c + 2], alpha);
  }
  if (kept === 0) table[NO_VALUE] = packed(...viewer.scene.missing, alpha);
  return table;
}

export function classColours(viewer, layer) {
  const alpha = layer.over ? Math.round(2.55 * viewer.view.opacity) : 255;
  const table = new Uint32Array(256);
  for (let index = 0; index < 256; index++) {
    const known = layer.classes[index];
    if (!known) table[index] = packed(...viewer.scene.missing, alpha);
    else if (known[1]) table[index] = packed(...known[1], alpha);
  }
  return table;
}

export const css = (colours, i) => `rgb(${colours[3 * i]}, ${colours[3 * i + 1]}, ${colours[3 * i + 2]})`;
