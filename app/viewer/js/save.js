// Saving: what is seen as one PNG, a pixel of the file to each of the picture, with titles, colour bars, classes and a caption.
import { css, highOf, lowOf, scaleOf } from "./colours.js";
import { written } from "./dom.js";
import { layerOf, paint } from "./paint.js";
import { stepTitle } from "./panels.js";
import { OWN, placement, without, writeView } from "./view.js";

const LINE_PX = 22, GAP_PX = 12, LEGIBLE_PX = 320, SWATCH_PX = 12, FONT = "13px sans-serif";

// The part of the picture that is seen: [left, top, right, bottom] in its pixels.
export function seen({ scene, view, panels }) {
  const { canvas } = panels[0];
  const place = placement(scene, view.zoom, canvas.width, canvas.height);
  const low = (offset) => Math.max(0, Math.floor(-offset / place.scale));
  const high = (offset, stage, size) => Math.min(size, Math.ceil((stage - offset) / place.scale));
  return [low(place.left), low(place.top), high(place.left, canvas.width, scene.width), high(place.top, canvas.height, scene.height)];
}

// One panel at the picture's own resolution, each pixel `times` x `times` large; only the part that is seen.
export function native(viewer, panel, [left, top, right, bottom], times) {
  const { scene } = viewer, canvas = document.createElement("canvas");
  Object.assign(canvas, { width: (right - left) * times, height: (bottom - top) * times });
  const fit = Math.min(canvas.width / scene.width, canvas.height / scene.height);
  const zoom = { x: (left + right) / 2 / scene.width, y: (top + bottom) / 2 / scene.height, times: times / fit };
  const painted = paint({ ...viewer, view: { ...viewer.view, zoom } }, { ...panel, canvas, picture: null }, { fine: true });
  if (!painted) throw new Error(`${panel.spoken} is still on its way`);
  drawMarks(canvas.getContext("2d"), viewer.view, placement(scene, zoom, canvas.width, canvas.height));
  return canvas;
}

// The measured rectangle and the pinned pixel, white on black as on the page.
function drawMarks(context, { box, x, y }, { left, top, scale }) {
  for (const [colour, width] of [["#000", 3], ["#fff", 1]]) {
    Object.assign(context, { strokeStyle: colour, lineWidth: width });
    if (box) context.strokeRect(left + box[0] * scale, top + box[1] * scale, (box[2] - box[0]) * scale, (box[3] - box[1]) * scale);
    if (x === null || y === null) continue;
    context.beginPath();
    context.arc(left + (x + 0.5) * scale, top + (y + 0.5) * scale, 5, 0, 2 * Math.PI);
    context.stroke();
  }
}

// All viewers that move together in one picture: beside each other where each is a single column, else below each other.
export async function savePicture(viewers) {
  const blocks = viewers.filter((one) => one.panels.length).map(blockOf);
  const across = blocks.length > 1 && blocks.every((block) => block.columns === 1);
  const sum = (values) => values.reduce((a, b) => a + b, 0), most = (values) => Math.max(...values);
  const fold = (size, along) => (along ? sum : most)(blocks.map((block) => block[size]));
  const leader = viewers.find((one) => one.scene.controls) ?? viewers[0];
  const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
  canvas.width = Math.max(LEGIBLE_PX + 2 * GAP_PX, fold("width", across));
  const layers = layersOf(viewers, leader), bars = layers.filter((layer) => layer.kind === "values" || layer.kind === "change");
  const lines = linesOfClasses(context, layers, leader.view.hidden);
  canvas.height = fold("height", !across) + (bars.length + lines.length + 1) * LINE_PX + GAP_PX;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.textBaseline = "middle";
  const write = (text, x, y, bold = "", room = canvas.width - x - GAP_PX) => {
    context.fillStyle = "#1f2328";
    context.font = `${bold} ${FONT}`;
    context.fillText(text, x, y, room);
  };
  let x = 0, y = 0;
  for (const block of blocks) {
    drawBlock(context, block, x, y, write, blocks.length > 1);
    if (across) x += block.width;
    else y += block.height;
  }
  y = fold("height", !across) + LINE_PX / 2;
  for (const layer of bars) {
    saveBar(leader, context, layer, y, write);
    y += LINE_PX;
  }
  for (const line of lines) {
    for (const { name, colour, x: left } of line) {
      context.fillStyle = `rgb(${colour})`;
      context.fillRect(left, y - SWATCH_PX / 2, SWATCH_PX, SWATCH_PX);
      write(name, left + SWATCH_PX + 6, y);
    }
    y += LINE_PX;
  }
  write(captionOf(blocks[0].viewer, blocks[0].part), GAP_PX, y);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const link = document.createElement("a"), { viewer } = blocks[0];
  link.href = URL.createObjectURL(blob);
  link.download = `${[viewer.scene.caption, stepTitle(viewer, viewer.view.step)].join(" ").replace(/[^\w.-]+/g, "-").replace(/^-|-$/g, "")}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// One viewer's panels at the picture's resolution, enlarged in whole steps where they would be too small to read.
function blockOf(viewer) {
  const part = seen(viewer), shown = viewer.panels.filter((panel) => panel.layer);
  const times = Math.max(1, Math.ceil(LEGIBLE_PX / (part[2] - part[0])));
  const pictures = shown.map((panel) => native(viewer, panel, part, times));
  const columns = Math.min(shown.length, getComputedStyle(viewer.grid).gridTemplateColumns.split(" ").length);
  const rows = Math.ceil(shown.length / columns), [picture] = pictures;
  return {
    ...{ viewer, part, shown, pictures, columns },
    width: columns * (picture.width + GAP_PX) + GAP_PX,
    height: rows * (picture.height + LINE_PX + GAP_PX) + GAP_PX,
  };
}

function drawBlock(context, { viewer, shown, pictures, columns }, left, top, write, named) {
  const [{ width, height }] = pictures;
  shown.forEach((panel, i) => {
    const x = left + GAP_PX + (i % columns) * (width + GAP_PX);
    const y = top + GAP_PX + Math.floor(i / columns) * (height + LINE_PX + GAP_PX);
    write(named && i === 0 ? `${viewer.scene.caption}: ${panel.spoken}` : panel.spoken, x, y + LINE_PX / 2, "600", width);
    context.drawImage(pictures[i], x, y + LINE_PX);
  });
}

// What is seen in any panel, each once.
function layersOf(viewers, { view }) {
  const layers = viewers.flatMap((one) => [...one.panels.map((panel) => panel.layer), view.compare && view.against].map((name) => layerOf(one, name)));
  return [...new Map(layers.filter(Boolean).map((layer) => [layer.name, layer])).values()];
}

// Names and colours of the classes that are shown, and where each stands in its line.
function linesOfClasses(context, layers, hidden) {
  const shown = layers.flatMap((layer) => layer.classes.filter(([name, colour]) => colour && !(layer.legend && hidden.includes(name))));
  const lines = [];
  let x = Infinity;
  context.font = FONT;
  for (const [name, colour] of new Map(shown)) {
    const width = SWATCH_PX + 6 + context.measureText(name).width + GAP_PX;
    if (x + width > context.canvas.width) {
      lines.push([]);
      x = GAP_PX;
    }
    lines.at(-1).push({ name, colour, x });
    x += width;
  }
  return lines;
}

function saveBar(viewer, context, layer, y, write) {
  const colours = scaleOf(viewer, layer), from = lowOf(viewer, layer), to = highOf(viewer, layer), length = 160;
  write(layer.name, GAP_PX, y);
  const start = GAP_PX + 130;
  write(String(from), start - 24, y);
  for (let i = 0; i < length; i++) {
    context.fillStyle = css(colours, Math.round((255 * i) / (length - 1)));
    context.fillRect(start + i, y - 6, 1, 12);
  }
  const above = viewer.view.above[layer.name];
  write(`${Number(to.toPrecision(3))}${layer.unit}${above === undefined ? "" : `, shown from ${written(above, layer)}`}`, start + length + 8, y);
}

function captionOf(viewer, [left, top, right, bottom]) {
  const { scene, view } = viewer, whole = right - left === scene.width && bottom - top === scene.height;
  return [scene.caption, scene.steps.length ? stepTitle(viewer, view.step) : "", whole ? "" : `x ${left} to ${right - 1}, y ${top} to ${bottom - 1} px`, view.compare ? `${view.compare} with ${view.against}` : ""].filter(Boolean).join(" · ");
}

// The address of exactly this view, which the page itself gets only after a moment of rest.
export async function copyLink(viewer) {
  const url = new URL(window.location.href);
  const written = writeView(viewer.scene, viewer.view);
  for (const [name, text] of Object.entries(viewer.scene.private ? without(written, OWN) : written)) {
    if (text === "") url.searchParams.delete(name);
    else url.searchParams.set(name, text);
  }
  const { link } = viewer.tools;
  try {
    await navigator.clipboard.writeText(url.href);
    link.textContent = "Copied";
  } catch {
    window.prompt("The link to this view", url.href); // without https the clipboard is closed
  }
  setTimeout(() => (link.textContent = "Copy link"), 1500);
}
