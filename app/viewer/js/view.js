// View settings: reading them from URL parameters, writing them back, and placing the image on the screen.
import { clamp } from "./dom.js";

const LARGEST_PX = 48; // screen pixels per image pixel
export const MOST_PANELS = 6;
export const OWN = ["zoom", "x", "y", "box"]; // settings of a private viewer that no link contains

export const without = (texts, names) => Object.fromEntries(Object.entries(texts).filter(([name]) => !names.includes(name)));

// The settings in URL parameters; invalid ones fall back to the defaults.
export function readView(scene, texts) {
  const names = scene.layers.filter((layer) => layer.kind !== "objects").map((layer) => layer.name);
  const steps = scene.steps.map((step) => step.name);
  const numbers = (text) => (text ? text.split(",").map(Number) : []);
  const zoom = numbers(texts.zoom), box = numbers(texts.box), compare = list(texts.compare);
  return {
    step: steps.includes(texts[scene.step]) ? texts[scene.step] : (steps.at(-1) ?? ""),
    other: steps.includes(texts.other) ? texts.other : (steps[0] ?? ""),
    show: list(texts.show).slice(0, MOST_PANELS), // empty: the default panels; a missing map may become available
    opacity: Number(texts.opacity ?? 70),
    scale: texts.scale ?? scene.hardnessScales[0],
    nats: Number(texts.nats ?? 4),
    above: Object.fromEntries(list(texts.above).map((part) => part.split(":")).map(([name, value]) => [name, within(scene, name, Number(value || NaN))]).filter(([, value]) => Number.isFinite(value))),
    zoom: zoom.length === 3 && zoom.every(Number.isFinite) && zoom[2] > 1 ? { x: clamp(zoom[0], 0, 1), y: clamp(zoom[1], 0, 1), times: Math.min(zoom[2], Math.max(scene.width, scene.height)) } : null,
    compare: ["wipe", "blink"].includes(compare[0]) && names.includes(compare[1]) ? compare[0] : "",
    against: names.includes(compare[1]) ? compare[1] : "Image",
    at: clamp(Number(compare[2] ?? 50) / 100, 0, 1) || 0,
    grey: texts.grey === "1",
    hidden: list(texts.hidden),
    outlines: ["objects", "regions"].includes(texts.outlines) ? texts.outlines : "",
    box: box.length === 4 && box.every(Number.isFinite) ? box : null,
    x: texts.x === undefined ? null : Number(texts.x),
    y: texts.y === undefined ? null : Number(texts.y),
  };
}

// The settings as URL parameters; "" for defaults, which are left out of the URL.
export function writeView(scene, view) {
  const join = (parts) => parts.map((part) => String(part).replaceAll("%", "%25").replaceAll(",", "%2C")).join(",");
  const above = Object.entries(view.above).map(([name, value]) => `${name}:${Number(value.toPrecision(9))}`);
  const round = (value) => Number(value.toFixed(4));
  const texts = {
    opacity: String(view.opacity),
    scale: view.scale,
    nats: String(view.nats),
    above: join(above),
    zoom: view.zoom ? [view.zoom.x, view.zoom.y, view.zoom.times].map(round).join(",") : "",
    compare: view.compare ? join([view.compare, view.against, Math.round(100 * view.at)]) : "",
    grey: view.grey ? "1" : "",
    hidden: join(view.hidden),
    outlines: view.outlines,
    box: view.box ? view.box.join(",") : "",
    x: view.x === null ? "" : String(view.x),
    y: view.y === null ? "" : String(view.y),
  };
  if (scene.steps.length) texts[scene.step] = view.step;
  if (scene.layers.some((layer) => layer.kind === "change")) texts.other = view.other;
  if (scene.free) texts.show = join(view.show);
  return texts;
}

// A threshold clipped to the range of its layer.
function within(scene, name, value) {
  const layer = scene.layers.find((one) => one.name === name);
  if (!layer) return value;
  const high = Math.max(layer.high, ...layer.ranges);
  return clamp(value, layer.kind === "change" ? -high : layer.low, high);
}

const list = (text) => (text ? text.split(",").map(decoded) : []);

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a malformed link
  }
}

// Placement of the image in a stage of `width` x `height` screen pixels: pixel (x, y) starts at
// (left + x * scale, top + y * scale). Without zoom the whole image is visible.
export function placement({ width: w, height: h }, zoom, width, height) {
  const fit = Math.min(width / w, height / h);
  const wanted = fit * (zoom?.times ?? 1), whole = Math.round(wanted);
  const scale = zoom && whole && Math.abs(wanted - whole) < 1e-3 ? whole : wanted; // keeps 1:1 exact despite rounding in links
  const start = (share, size, stage) => {
    const length = size * scale;
    const from = length <= stage ? (stage - length) / 2 : clamp(stage / 2 - share * length, stage - length, 0);
    return scale >= 1 ? Math.round(from) : from; // otherwise 1:1 would repeat some pixels and skip others
  };
  return { scale, fit, left: start(zoom?.x ?? 0.5, w, width), top: start(zoom?.y ?? 0.5, h, height) };
}

// The zoom after magnifying `by` around screen pixel `[at, down]`, which moves to `to`; null if all is visible.
export function magnified(scene, zoom, width, height, by, [at, down], to = [at, down]) {
  const old = placement(scene, zoom, width, height);
  const times = clamp((zoom?.times ?? 1) * by, 1, Math.max(1, LARGEST_PX / old.fit));
  if (times <= 1.0001) return null;
  const x = (at - old.left) / old.scale, y = (down - old.top) / old.scale;
  return centred(scene, x - (to[0] - width / 2) / (old.fit * times), y - (to[1] - height / 2) / (old.fit * times), times, width, height);
}

// The zoom that centres pixel (x, y), as far as the image border allows.
export function centred({ width: w, height: h }, x, y, times, width, height) {
  const scale = Math.min(width / w, height / h) * times;
  const held = (at, size, stage) => {
    const reach = stage / 2 / scale / size;
    return reach >= 0.5 ? 0.5 : clamp(at / size, reach, 1 - reach);
  };
  return { x: held(x, w, width), y: held(y, h, height), times };
}
