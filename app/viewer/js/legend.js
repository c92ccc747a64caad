// Colour bars with thresholds, class chips, and the read-out lines.
import { css, highOf, lowOf, scaleOf } from "./colours.js";
import { clamp, element, fillOptions, percent, formatValue } from "./dom.js";
import { keptBy, means, objectAt, regionAt, readValue, thresholdFor } from "./measure.js";
import { layerOf, numbersOf, regionLayer } from "./paint.js";
import { stepOf, stepTitle } from "./panels.js";

const STEPS = 1000; // of a threshold slider

export function makeLegend(viewer) {
  viewer.readout = element("div", { className: "readout" });
  viewer.spoken = element("div", { className: "spoken", "aria-live": "polite" });
  viewer.extra = element("div", { className: "readout extra" });
  viewer.shapes = element("div", { className: "readout extra" });
  viewer.bars = element("div", { className: "bars" });
  viewer.chips = element("div", { className: "chips", role: "group", "aria-label": "Classes" });
  return [viewer.readout, viewer.spoken, viewer.extra, viewer.shapes, viewer.bars, viewer.chips];
}

const coloured = (layer) => layer && (layer.kind === "values" || layer.kind === "change");

function shownLayers(viewer) {
  const names = new Set(viewer.group().flatMap((one) => one.panels.map((panel) => panel.layer)));
  if (viewer.view.compare) names.add(viewer.view.against);
  return [...names].map((name) => layerOf(viewer, name)).filter(Boolean);
}

export function drawLegend(viewer, options = {}) {
  const layers = shownLayers(viewer);
  const bars = layers.filter(coloured);
  const known = new Map([...viewer.bars.children].map((bar) => [bar.dataset.name, bar]));
  const wanted = bars.map((layer) => known.get(layer.name) ?? makeBar(viewer, layer.name));
  if (wanted.length !== viewer.bars.children.length || wanted.some((bar, i) => bar !== viewer.bars.children[i])) viewer.bars.replaceChildren(...wanted);
  wanted.forEach((bar) => drawBar(viewer, bar, options));
  drawChips(viewer, layers);
  const read = [...viewer.layers.values()].filter((layer) => layer.kind === "values" || layer.kind === "classes").length;
  viewer.readout.style.setProperty("--rows", read + 2 + (viewer.scene.steps.length > 1));
}

function makeBar(viewer, name) {
  const layer = () => layerOf(viewer, name);
  const value = (slider) => lowOf(viewer, layer()) + (slider.value / STEPS) * (highOf(viewer, layer()) - lowOf(viewer, layer()));
  const set = (above) => {
    const { [name]: _, ...others } = viewer.view.above;
    viewer.change({ above: above === null ? others : { [name]: above, ...others } });
  };
  const slider = element("input", { type: "range", min: 0, max: STEPS, step: 1, on: { input: () => set(Number(slider.value) === 0 ? null : value(slider)), dblclick: () => set(null) } });
  const share = element("input", { type: "number", min: 0.1, max: 100, step: 0.1, title: "Show only the highest x % of the pixels" });
  share.addEventListener("change", () => {
    const wanted = Number(share.value) / 100;
    const step = viewer.leader().view.step;
    if (!(wanted > 0)) return drawBar(viewer, bar);
    set(wanted >= 1 ? null : thresholdFor(viewer.measured(), layerOf(viewer.measured(), name), step, wanted));
  });
  share.addEventListener("keydown", (event) => event.stopPropagation());
  const label = layer().definition ? element("a", { href: layer().definition, target: "_blank", title: `Definition of ${name.toLowerCase()}` }) : element("span");
  label.textContent = name;
  const low = element("span", { className: "end" });
  const high = layer().ranges.length
    ? element("select", { "aria-label": `${name} up to`, on: { change: () => viewer.change({ nats: Number(high.value) }) } })
    : element("span", { className: "end" });
  const scale = layer().kind === "values" && !layer().scale
    ? element("select", { "aria-label": `Colours of ${name.toLowerCase()}`, on: { change: () => viewer.change({ scale: scale.value }) } })
    : null;
  const track = element("span", { className: "track" }, slider);
  const words = element("output"), about = viewer.scene.definitions.threshold;
  const clear = element("button", { type: "button", className: "close", textContent: "×", title: "Show all", "aria-label": `Show all of ${name}`, on: { click: () => set(null) } });
  const keep = element("label", { className: "keep" }, element("a", { href: about, target: "_blank", textContent: "highest" }), share, "%");
  const first = element("div", { className: "row" }, label, scale, keep, clear), second = element("div", { className: "row" }, low, track, high);
  const bar = element("div", { className: "bar" }, first, second, words);
  bar.dataset.name = name;
  Object.assign(bar, { parts: { slider, share, low, high, scale, track, words, clear } });
  return bar;
}

function drawBar(viewer, bar, options = {}) {
  const layer = layerOf(viewer, bar.dataset.name), { slider, share, low, high, scale, track, words, clear } = bar.parts;
  const from = lowOf(viewer, layer), to = highOf(viewer, layer), colours = scaleOf(viewer, layer);
  const stops = Array.from({ length: 17 }, (_, i) => css(colours, Math.round((255 * i) / 16)));
  track.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
  low.textContent = Number(from.toPrecision(3));
  const most = (value) => `${Number(value.toPrecision(3))}${layer.unit}`;
  if (layer.ranges.length) {
    fillOptions(high, Object.fromEntries(layer.ranges.map((value) => [value, most(value)])));
    high.value = viewer.view.nats;
  } else high.textContent = most(to);
  if (scale) {
    fillOptions(scale, Object.fromEntries(viewer.scene.hardnessScales.map((one) => [one, one])));
    scale.value = viewer.view.scale;
  }
  const above = viewer.view.above[layer.name];
  const one = viewer.measured(), found = above === undefined ? null : keptBy(one, layerOf(one, layer.name), one.view.step, options);
  slider.value = above === undefined ? 0 : Math.round((STEPS * (above - from)) / (to - from));
  track.style.setProperty("--cut", `${clamp((100 * ((above ?? from) - from)) / (to - from), 0, 100)}%`);
  slider.setAttribute("aria-label", `Show ${layer.name.toLowerCase()} from`);
  slider.setAttribute("aria-valuetext", above === undefined ? "all values" : formatValue(above, layer));
  slider.title = "Drag to show only higher values";
  if (share.getRootNode().activeElement !== share) share.value = above === undefined ? 100 : found ? Number((100 * found.pixels).toFixed(1)) : "";
  share.setAttribute("aria-label", `Share of the pixels shown, highest ${layer.name.toLowerCase()} first, in percent`);
  clear.hidden = above === undefined;
  words.textContent = found ? thresholdWords(layer, above, found, one === viewer || viewer.group().filter((other) => other.panels.length).length < 2 ? "" : "first image's ") : above === undefined ? "" : `≥ ${formatValue(above, layer)}: …`;
}

function thresholdWords(layer, above, found, whose) {
  const parts = [`≥ ${formatValue(above, layer)}: ${percent(found.pixels)} of the ${whose}pixels`];
  if (found.errors !== null) parts.push(`${percent(found.errors)} of the errors caught`, `precision ${percent(found.precision)}`);
  return parts.join(", ");
}

function drawChips(viewer, layers) {
  const legends = layers.filter((layer) => layer.classes.length);
  const names = new Map(legends.flatMap((layer) => layer.classes.filter(([, colour]) => colour).map(([name, colour]) => [name, { colour, fixed: !layer.legend }])));
  const signature = JSON.stringify([...names]);
  if (viewer.chips.dataset.signature !== signature) {
    viewer.chips.dataset.signature = signature;
    viewer.chips.replaceChildren(...[...names].map(([name, { colour, fixed }]) => makeChip(viewer, name, colour, fixed)));
  }
  for (const chip of viewer.chips.children) chip.setAttribute("aria-pressed", String(!viewer.view.hidden.includes(chip.dataset.name)));
}

function makeChip(viewer, name, colour, fixed) {
  const swatch = element("i");
  swatch.style.background = `rgb(${colour})`;
  if (fixed) return element("span", { className: "chip" }, swatch, name);
  const others = () => [...viewer.chips.children].map((chip) => chip.dataset.name).filter((one) => one && one !== name);
  const toggle = () => {
    const { hidden } = viewer.view;
    viewer.change({ hidden: hidden.includes(name) ? hidden.filter((one) => one !== name) : [...hidden, name] });
  };
  const solo = () => {
    const alone = others().every((one) => viewer.view.hidden.includes(one));
    viewer.change({ hidden: alone ? [] : others() });
  };
  const chip = element("button", { type: "button", className: "chip", title: `Click to hide ${name}. Shift-click or double-click to show only ${name}.`, on: { click: (event) => (event.shiftKey ? solo() : toggle()), dblclick: solo } }, swatch, name);
  chip.dataset.name = name;
  return chip;
}

// Shows the values under the cursor or at the pinned pixel, and the means of the rectangle, object or hard region.
export function readOut(viewer, { spoken = false } = {}) {
  const { view, scene } = viewer;
  const at = viewer.hover ?? (view.x === null || view.y === null ? null : [view.x, view.y]);
  const hint = scene.controls ? [["", "Point at a panel to read values; click to pin a pixel."]] : [];
  const items = at ? valuesAt(viewer, at) : hint;
  fillLine(viewer.readout, items);
  if (spoken) viewer.spoken.textContent = items.map(([name, text]) => `${name} ${text}`).join(", ");
  for (const panel of viewer.panels) {
    const layer = layerOf(viewer, panel.layer);
    const value = viewer.hover && layer ? readValue(viewer, layer, panel.step, viewer.hover[1] * scene.width + viewer.hover[0]) : null;
    panel.note.classList.toggle("value", value !== null);
    if (value !== null) panel.note.textContent = value;
    else if (panel.usual !== undefined) panel.note.textContent = panel.usual;
  }
  fillLine(viewer.extra, boxItems(viewer));
  fillLine(viewer.shapes, shapeItems(viewer, at));
}

function valuesAt(viewer, [x, y]) {
  const index = y * viewer.scene.width + x;
  const step = readStep(viewer), items = [["x", `${x} px`], ["y", `${y} px`]];
  if (viewer.scene.steps.length > 1) items.push(["at", stepTitle(viewer, step)]);
  for (const layer of viewer.layers.values()) {
    if (["image", "objects", "change", "errors"].includes(layer.kind)) continue;
    const text = readValue(viewer, layer, step, index);
    if (text !== null) items.push([READ[layer.name] ?? layer.name.toLowerCase(), text, layer.definition]);
  }
  return items;
}

// The step whose values are shown: that of the panel under the cursor, otherwise the selected one.
export const readStep = (viewer) => (viewer.hover && viewer.hoverPanel ? stepOf(viewer, viewer.hoverPanel.at) : viewer.view.step);

const READ = { Prediction: "predicted", Labels: "labelled" };

function boxItems(viewer) {
  const { box } = viewer.view;
  if (!box) return viewer.drawing ? [["", "Drag a rectangle to measure it."]] : [];
  const [left, top, right, bottom] = fitted(viewer, box);
  return right > left && bottom > top ? meansItems(viewer, "rectangle", `${right - left} × ${bottom - top} px`, means(viewer, readStep(viewer), [left, top, right, bottom])) : [];
}

const fitted = ({ scene }, [left, top, right, bottom]) => [Math.max(0, left), Math.max(0, top), Math.min(scene.width, right), Math.min(scene.height, bottom)].map(Math.round);

function shapeItems(viewer, at) {
  const { view, scene } = viewer;
  viewer.over = 0;
  if (!at || !view.outlines) return [];
  const index = at[1] * scene.width + at[0], step = readStep(viewer);
  if (view.outlines === "objects") {
    const object = objectAt(viewer, step, index);
    viewer.over = object?.number ?? 0;
    return object ? shapeOnce(viewer, step, `${object.number}, ${object.name}`, object) : [];
  }
  const layer = regionLayer(viewer), found = layer && numbersOf(viewer, layer, step);
  if (!found) return [];
  const last = viewer.shape, name = `region ${found.name} ${view.above[layer.name]}`;
  const same = last?.name === name && last.step === step && last.shape.inside(index);
  const region = same ? last.shape : regionAt(viewer, layer, step, index);
  return region ? shapeOnce(viewer, step, name, region, "hard region") : [];
}

// The means of a shape, computed once while the cursor stays in it.
function shapeOnce(viewer, step, name, shape, title = name) {
  const last = viewer.shape, layers = viewer.layers;
  if (last?.name === name && last.step === step && last.layers === layers && (title === name || last.shape === shape)) return last.items;
  const found = means(viewer, step, shape.box, shape.inside);
  const items = meansItems(viewer, title === name ? "object" : "threshold", title, found);
  viewer.shape = found.whole ? { name, step, layers, shape, items } : null;
  return items;
}

function meansItems(viewer, kind, title, { pixels, means: found, errorRate: rate }) {
  const { definitions } = viewer.scene;
  const items = [[kind === "threshold" ? "" : kind, title, definitions[kind]], ["", `${pixels.toLocaleString("en")} px`]];
  for (const { layer, mean } of found) if (mean !== null) items.push([`mean ${layer.name.toLowerCase()}`, formatValue(mean, layer), layer.definition]);
  if (rate !== null) items.push(["wrong", percent(rate), definitions.error]);
  return items;
}

// Names and values in a line; names link to definitions.
function fillLine(place, items) {
  place.replaceChildren(...items.map(([name, text, href]) => {
    if (!name) return element("span", { textContent: text });
    const label = href ? element("a", { href, target: "_blank", textContent: name }) : name;
    return element("span", {}, label, " ", element("b", { textContent: text }));
  }));
}
