// Saving the view as one PNG at image resolution, with titles, colour bars, classes and a caption.
import { css, highOf, lowOf, scaleOf } from "./colours.js";
import { formatValue } from "./dom.js";
import { layerOf, paint } from "./paint.js";
import { stepTitle, missingText } from "./panels.js";
import { OWN, placement, without, writeView } from "./view.js";

const LINE_PX = 22, GAP_PX = 12, LEGIBLE_PX = 320, TALLEST_PX = 1280, SWATCH_PX = 12, BAR_PX = 160, FONT = "13px sans-serif";

// The visible part of the image: [left, top, right, bottom] px.
function seen({ scene, view, panels }) {
  const { canvas } = panels[0];
  const place = placement(scene, view.zoom, canvas.width, canvas.height);
  const low = (offset) => Math.max(0, Math.floor(-offset / place.scale));
  const high = (offset, stage, size) => Math.min(size, Math.ceil((stage - offset) / place.scale));
  return [low(place.left), low(place.top), high(place.left, canvas.width, scene.width), high(place.top, canvas.height, scene.height)];
}

// The visible part of one panel at image resolution, each pixel enlarged to `times` x `times`.
function native(viewer, panel, [left, top, right, bottom], times) {
  const { scene } = viewer, canvas = document.createElement("canvas");
  Object.assign(canvas, { width: (right - left) * times, height: (bottom - top) * times });
  const fit = Math.min(canvas.width / scene.width, canvas.height / scene.height);
  const zoom = { x: (left + right) / 2 / scene.width, y: (top + bottom) / 2 / scene.height, times: times / fit };
  const painted = paint({ ...viewer, view: { ...viewer.view, zoom } }, { ...panel, canvas, picture: null }, { fine: true });
  if (!painted) throw new Error(`${panel.spoken} is still loading`);
  drawMarks(canvas.getContext("2d"), viewer.view, placement(scene, zoom, canvas.width, canvas.height));
  return canvas;
}

// Draws the rectangle and the pinned pixel, white on black as on the page.
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

// All linked viewers in one PNG, in page order: side by side if each is a single column, otherwise below each other.
export async function savePicture(viewers) {
  const place = ({ root }) => root.getBoundingClientRect();
  const ordered = viewers.toSorted((a, b) => place(a).top - place(b).top || place(a).left - place(b).left);
  const blocks = ordered.filter((one) => one.panels.some((panel) => panel.layer)).map(blockOf);
  if (!blocks.length) throw new Error("there is nothing to save");
  const across = blocks.length > 1 && blocks.every((block) => block.columns === 1);
  const sum = (values) => values.reduce((a, b) => a + b, 0), most = (values) => Math.max(...values);
  const fold = (size, along) => (along ? sum : most)(blocks.map((block) => block[size]));
  const leader = viewers.find((one) => one.scene.controls) ?? viewers[0];
  const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
  const layers = layersOf(viewers, leader), caption = captionOf(blocks[0]);
  const bars = barsOf(context, leader, layers.filter((layer) => layer.kind === "values" || layer.kind === "change"));
  canvas.width = Math.max(fold("width", across), ...bars.map((bar) => bar.right), Math.ceil(context.measureText(caption).width) + 2 * GAP_PX);
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
  for (const bar of bars) {
    drawSavedBar(context, bar, y, write);
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
  write(caption, GAP_PX, y);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  if (!blob) throw new Error(`${canvas.width} × ${canvas.height} px is more than this browser can save; zoom in or show fewer panels`);
  const link = document.createElement("a"), { viewer } = blocks[0];
  link.href = URL.createObjectURL(blob);
  link.download = `${[viewer.scene.caption, stepTitle(viewer, viewer.view.step)].join(" ").replace(/[^\w.-]+/g, "-").replace(/^-|-$/g, "")}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// The panels of one viewer at image resolution, in the layout of the page. Small images are enlarged in whole steps, and
// each panel is wide enough for its title.
function blockOf(viewer) {
  const part = seen(viewer), wide = part[2] - part[0], high = part[3] - part[1];
  const times = Math.max(1, Math.min(Math.ceil(LEGIBLE_PX / wide), Math.floor(TALLEST_PX / high)));
  const columns = Math.min(viewer.panels.length, getComputedStyle(viewer.grid).gridTemplateColumns.split(" ").length);
  const column = Math.max(LEGIBLE_PX, wide * times) + GAP_PX, row = high * times + LINE_PX + GAP_PX;
  return {
    ...{ viewer, part, times, columns, column, row },
    width: columns * column + GAP_PX,
    height: Math.ceil(viewer.panels.length / columns) * row + GAP_PX,
  };
}

function drawBlock(context, { viewer, part, times, columns, column, row }, left, top, write, named) {
  viewer.panels.forEach((panel, i) => {
    if (!panel.layer) return;
    const x = left + GAP_PX + (i % columns) * column, y = top + GAP_PX + Math.floor(i / columns) * row;
    write(named && i === 0 ? `${viewer.scene.caption}: ${panel.spoken}` : panel.spoken, x, y + LINE_PX / 2, "600", column - GAP_PX);
    if (!missingText(viewer, panel)) context.drawImage(native(viewer, panel, part, times), x, y + LINE_PX);
  });
}

// The layers visible in any panel, each once.
function layersOf(viewers, { view }) {
  const layers = viewers.flatMap((one) => [...one.panels.map((panel) => panel.layer), view.compare && view.against].map((name) => layerOf(one, name)));
  return [...new Map(layers.filter(Boolean).map((layer) => [layer.name, layer])).values()];
}

// Names, colours and positions of the visible classes.
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

// The colour bar of each layer: texts, start of the colours, and end.
function barsOf(context, viewer, layers) {
  context.font = FONT;
  const width = (text) => Math.ceil(context.measureText(text).width);
  const bars = layers.map((layer) => {
    const above = viewer.view.above[layer.name], to = `${Number(highOf(viewer, layer).toPrecision(3))}${layer.unit}`;
    const low = String(Number(lowOf(viewer, layer).toPrecision(3))), high = above === undefined ? to : `${to}, shown from ${formatValue(above, layer)}`;
    return { name: layer.name, colours: scaleOf(viewer, layer), low, high, lowWidth: width(low), highWidth: width(high) };
  });
  const start = GAP_PX + Math.max(...bars.map((bar) => width(bar.name) + GAP_PX + bar.lowWidth)) + 6;
  return bars.map((bar) => ({ ...bar, start, right: start + BAR_PX + 6 + bar.highWidth + GAP_PX }));
}

function drawSavedBar(context, { name, colours, low, high, lowWidth, start }, y, write) {
  write(name, GAP_PX, y);
  write(low, start - 6 - lowWidth, y);
  for (let i = 0; i < BAR_PX; i++) {
    context.fillStyle = css(colours, Math.round((255 * i) / (BAR_PX - 1)));
    context.fillRect(start + i, y - 6, 1, 12);
  }
  write(high, start + BAR_PX + 6, y);
}

function captionOf({ viewer, part: [left, top, right, bottom] }) {
  const { scene, view } = viewer, whole = right - left === scene.width && bottom - top === scene.height;
  return [scene.caption, scene.steps.length ? stepTitle(viewer, view.step) : "", whole ? "" : `x ${left} to ${right - 1}, y ${top} to ${bottom - 1} px`, view.compare ? `${view.compare} with ${view.against}` : ""].filter(Boolean).join(" · ");
}

// The URL of exactly this view; that of the page is updated a moment later.
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
    window.prompt("Link to this view", url.href); // without HTTPS the clipboard is not available
  }
  setTimeout(() => (link.textContent = "Copy link"), 1500);
}
