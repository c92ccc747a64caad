// Fetching: which planes of a scene are asked for, and in which order.
import { planesOf, planesOfPanels } from "./panels.js";
import { fetchPlane, hold, pixelsOf, room } from "./planes.js";

const AT_ONCE = 3; // planes under way that nobody waits for
const AGAIN_MS = 1500; // after which a plane is asked for once more: while a page is drawn, its files may be gone for a moment

// Fetches what the panels show, then what is read under the cursor, then the steps around.
export async function fetchAll(viewer, { arrived, complete, failed }) {
  const turn = ++viewer.turn, area = viewer.scene.width * viewer.scene.height;
  const layers = [...viewer.layers.values()], names = viewer.scene.steps.map((step) => step.name);
  const middle = Math.max(0, names.indexOf(viewer.view.step));
  const near = names.slice().sort((a, b) => Math.abs(names.indexOf(a) - middle) - Math.abs(names.indexOf(b) - middle));
  const image = layers.filter((layer) => layer.kind === "image").flatMap((layer) => planesOf(viewer, layer, viewer.view.step));
  const known = (planes) => [...new Set(planes.filter(Boolean))];
  const at = (step) => layers.flatMap((layer) => planesOf(viewer, layer, step));
  const first = known([...image, ...planesOfPanels(viewer)]), current = known([...first, ...at(viewer.view.step)]);
  hold(viewer, current); // else what arrives would drive out what is shown, to be fetched again without end
  const arrive = async (plane) => {
    if (pixelsOf(plane)) return;
    await fetchPlane(plane, area).catch(() => pause(AGAIN_MS).then(() => fetchPlane(plane, area)));
    if (current.includes(plane)) arrived(viewer);
  };
  const take = async (planes, wanted) => {
    while (planes.length && turn === viewer.turn && wanted()) await arrive(planes.shift());
  };
  const takeAll = (planes, wanted) => Promise.all(Array.from({ length: AT_ONCE }, () => take(planes, wanted)));
  try {
    await Promise.all(first.map(arrive));
    await takeAll([...current], () => true);
    if (turn === viewer.turn) complete();
    await takeAll(known(near.flatMap(at)), () => room(2 * area));
  } catch (error) {
    if (turn === viewer.turn) failed(error);
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
