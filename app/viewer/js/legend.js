// The colour bars and class chips below the panels.
import { element } from "./dom.js";
import { layerOf } from "./paint.js";
import { drawBar, makeBar } from "./thresholds.js";

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

function drawChips(viewer, layers) {
  const legends = layers.filter((layer) => layer.classes.length);
  const names = new Map(legends.flatMap((layer) => layer.classes.filter(([, colour]) => colour).map(([name, colour]) => [name, { colour, fixed: !layer.legend }])));
  const signature = JSON.stringify([...names]);
  if (viewer.chips.dataset.signature !== signature) {
    viewer.chips.dataset.signature = signature;
    viewer.chips.replaceChildren(...[...names].map(([name, { colour, fixed }]) => makeChip(viewer, name, colour, fixed)));
  }
  for (const chip of viewer.chips.querySelectorAll("button")) chip.setAttribute("aria-pressed", String(!viewer.view.hidden.includes(chip.dataset.name)));
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
