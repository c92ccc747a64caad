// The read-out lines: values under the cursor, and means of the rectangle, object or hard region.
import { element, percent, formatValue } from "./dom.js";
import { means, objectAt, regionAt, readValue } from "./measure.js";
import { layerOf, numbersOf, regionLayer } from "./paint.js";
import { stepOf, stepTitle } from "./panels.js";

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
