// Gestures: wheel, drag, pinch and keys.
import { clamp } from "./dom.js";
import { pixelAt } from "./panels.js";
import { centred, magnified, placement } from "./view.js";

const CLICK_PX = 4; // a shorter drag is a click
const WHEEL = 0.0016;

export function listen(viewer, panel) {
  const { stage } = panel;
  const touches = new Map(); // pointerId -> position
  let began = null;
  const dense = () => panel.canvas.width / stage.clientWidth || 1;
  const inStage = (event) => {
    const box = stage.getBoundingClientRect();
    return [(event.clientX - box.left) * dense(), (event.clientY - box.top) * dense()];
  };
  const zoomTo = (zoom) => viewer.change({ zoom });
  const magnify = (by, ...around) => zoomTo(magnified(viewer.scene, viewer.view.zoom, panel.canvas.width, panel.canvas.height, by, ...around));
  panel.magnify = (by) => magnify(by, [panel.canvas.width / 2, panel.canvas.height / 2]);

  stage.addEventListener("wheel", (event) => {
    if (event.deltaY > 0 && !viewer.view.zoom) return; // the whole image is visible: let the page scroll
    event.preventDefault();
    magnify(Math.exp(-WHEEL * clamp(event.deltaY, -300, 300) * (event.deltaMode ? 30 : 1)), inStage(event));
  }, { passive: false });

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    touches.set(event.pointerId, event);
    const pixel = pixelAt(viewer, panel, event.clientX, event.clientY);
    if (touches.size === 1) {
      began = { x: event.clientX, y: event.clientY, zoom: viewer.view.zoom, pixel, moved: false, kind: grip(viewer, panel, event) };
    } else began = { kind: "pinch", moved: true };
    stage.setPointerCapture(event.pointerId);
  });

  stage.addEventListener("pointermove", (event) => {
    const pixel = pixelAt(viewer, panel, event.clientX, event.clientY);
    if (!began || !touches.has(event.pointerId)) return viewer.hoverAt(pixel, panel);
    const before = [...touches.values()];
    touches.set(event.pointerId, event);
    if (began.kind === "pinch") return pinch(before, [...touches.values()]);
    began.moved ||= Math.hypot(event.clientX - began.x, event.clientY - began.y) > CLICK_PX;
    if (began.moved) drag(event, pixel);
  });

  const pinch = (before, after) => {
    if (after.length !== 2) return;
    const apart = ([a, b]) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    const middle = (fingers) => fingers.map(inStage).reduce(([x, y], [u, v]) => [(x + u) / 2, (y + v) / 2]);
    magnify(apart(after) / Math.max(1, apart(before)), middle(before), middle(after));
  };

  const drag = (event, pixel) => {
    if (began.kind !== "move") viewer.hoverAt(pixel, panel);
    if (began.kind === "wipe") return viewer.change({ at: clamp(inStage(event)[0] / panel.canvas.width, 0, 1) });
    if (began.kind === "box") return viewer.change({ box: boxOf(began.pixel, pixel) });
    if (!began.zoom) return;
    const { width, height } = panel.canvas, place = placement(viewer.scene, began.zoom, width, height);
    const by = (now, then) => ((now - then) * dense()) / place.scale;
    zoomTo(centred(viewer.scene, began.zoom.x * viewer.scene.width - by(event.clientX, began.x), began.zoom.y * viewer.scene.height - by(event.clientY, began.y), began.zoom.times, width, height));
  };

  const end = (event) => {
    const click = began && !began.moved && event.type === "pointerup" && touches.size === 1;
    touches.delete(event.pointerId);
    if (click) viewer.pin(began.pixel);
    if (touches.size === 0) began = null;
  };
  stage.addEventListener("pointerup", end);
  stage.addEventListener("pointercancel", end);
  stage.addEventListener("pointerleave", () => began || viewer.hoverAt(null));
  stage.addEventListener("blur", () => viewer.hoverAt(null));
  stage.addEventListener("dblclick", () => viewer.view.zoom && zoomTo(null));
  stage.addEventListener("keydown", (event) => onKey(viewer, panel, event));
}

// What a drag does: move the wipe line, draw a rectangle, or move the image.
function grip(viewer, panel, event) {
  const box = panel.stage.getBoundingClientRect();
  const atLine = Math.abs(event.clientX - box.left - viewer.view.at * box.width) < 14;
  if (viewer.view.compare === "wipe" && atLine) return "wipe";
  return viewer.drawing || event.shiftKey ? "box" : "move";
}

const boxOf = ([x, y], [u, v]) => [Math.min(x, u), Math.min(y, v), Math.max(x, u) + 1, Math.max(y, v) + 1];

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function onKey(viewer, panel, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = ARROWS[event.key];
  const steps = viewer.scene.steps.length > 1;
  if (arrow && (event.shiftKey || !steps || arrow[1])) moveCursor(viewer, panel, arrow);
  else if (arrow) viewer.goBy(arrow[0]);
  else if (event.key === "Enter") viewer.pin(cursor(viewer));
  else if (event.key === "+" || event.key === "=") panel.magnify(1.5);
  else if (event.key === "-") panel.magnify(1 / 1.5);
  else if (KEYS[event.key]) KEYS[event.key](viewer);
  else return;
  event.preventDefault();
  event.stopPropagation(); // Streamlit has its own shortcuts
}

const KEYS = {
  0: (viewer) => viewer.change({ zoom: null }),
  1: (viewer) => viewer.oneToOne(),
  " ": (viewer) => viewer.play(),
  w: (viewer) => viewer.compare("wipe"),
  b: (viewer) => viewer.compare("blink"),
  d: (viewer) => viewer.draw(),
  g: (viewer) => viewer.change({ grey: !viewer.view.grey }),
  o: (viewer) => viewer.nextOutlines(),
  Escape: (viewer) => viewer.clear(),
};

export const KEY_HELP =
  "Left, right: previous or next step. Shift and arrows: move the cursor. Enter: pin the pixel. Plus, minus: zoom. " +
  "0: fit. 1: one to one. Space: play. W: wipe. B: blink. D: draw a rectangle. G: grey. O: outlines. Escape: clear.";

const cursor = ({ hover, view, scene }) => hover ?? (view.x === null ? [scene.width >> 1, scene.height >> 1] : [view.x, view.y]);

function moveCursor(viewer, panel, [right, down]) {
  const { width, height } = viewer.scene, [x, y] = cursor(viewer);
  const by = Math.max(1, Math.round(2 / placement(viewer.scene, viewer.view.zoom, panel.canvas.width, panel.canvas.height).scale));
  viewer.hoverAt([clamp(x + by * right, 0, width - 1), clamp(y + by * down, 0, height - 1)], panel, { spoken: true });
}
