// A colour bar with its threshold slider.
import { css, highOf, lowOf, scaleOf } from "./colours.js";
import { clamp, element, fillOptions, percent, formatValue } from "./dom.js";
import { keptBy, thresholdFor } from "./measure.js";
import { layerOf } from "./paint.js";

const STEPS = 1000; // of a threshold slider

export function makeBar(viewer, name) {
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
  const shareInput = element("label", { className: "share" }, element("a", { href: about, target: "_blank", textContent: "highest" }), share, "%");
  const first = element("div", { className: "row" }, label, scale, shareInput, clear), second = element("div", { className: "row" }, low, track, high);
  const bar = element("div", { className: "bar" }, first, second, words);
  bar.dataset.name = name;
  Object.assign(bar, { parts: { slider, share, low, high, scale, track, words, clear } });
  return bar;
}

export function drawBar(viewer, bar, options = {}) {
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
