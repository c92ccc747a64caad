// Planes: arrays of numbers, each fetched from its address once and kept, the oldest let go where they grow too many,
// but none that is shown.
//
// A plane is a PNG ("rgb", decoded to RGBA) or deflated uint8 classes ("u8") or uint16 values ("u16", 65535 = none).

export const NO_VALUE = 65535;
export const MOST = 65534;
const KEPT_BYTES = 320e6, SPARE_BYTES = 100e6; // in all; and, where what is held takes more, beside that
const kept = new Map(); // digest -> { pixels or null, arriving: a promise, bytes }, oldest first; shared by all viewers
const held = new Map(); // viewer -> digests of the planes it shows

// The pixels of a plane, or null while they are on their way.
export function pixelsOf(plane) {
  const entry = plane && kept.get(plane.digest);
  if (!entry) return null;
  kept.delete(plane.digest);
  kept.set(plane.digest, entry);
  return entry.pixels;
}

// Fetches a plane unless it is here or under way; resolves to its pixels.
export function fetchPlane(plane, area) {
  const known = kept.get(plane.digest);
  if (known) return known.arriving;
  const entry = { pixels: null, bytes: area * { rgb: 4, u8: 1, u16: 2 }[plane.kind] };
  entry.arriving = read(plane).then((pixels) => (entry.pixels = pixels));
  entry.arriving.catch(() => kept.delete(plane.digest)); // to be asked for again
  kept.set(plane.digest, entry);
  makeRoom();
  return entry.arriving;
}

// The planes a viewer shows and reads now: none of them is let go, however many they are. None once it is gone.
export function hold(viewer, planes) {
  held.set(viewer, planes.map((plane) => plane.digest));
  if (!planes.length) held.delete(viewer);
  makeRoom();
}

// What is worked out from planes is kept beside them, under a name of its own.
export const isDerived = (name) => kept.has(name);

export function derived(name, bytes, make) {
  const entry = kept.get(name) ?? { pixels: make(), bytes };
  kept.delete(name);
  kept.set(name, entry);
  makeRoom();
  return entry.pixels;
}

export const room = (bytes) => total() + bytes <= KEPT_BYTES;

function total(counted = () => true) {
  let bytes = 0;
  for (const [name, entry] of kept) if (counted(name)) bytes += entry.bytes;
  return bytes;
}

function makeRoom() {
  let bytes = total();
  if (bytes <= KEPT_BYTES) return;
  const staying = new Set([...held.values()].flat());
  const most = Math.max(KEPT_BYTES, SPARE_BYTES + total((name) => staying.has(name)));
  for (const [name, entry] of kept) {
    if (bytes <= most) return;
    if (entry.pixels === null || staying.has(name)) continue;
    kept.delete(name);
    bytes -= entry.bytes;
  }
}

async function read({ url, kind }) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  if (kind === "rgb") return decodePng(await answer.blob());
  const inflated = answer.body.pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(inflated).arrayBuffer();
  return kind === "u8" ? new Uint8Array(buffer) : new Uint16Array(buffer);
}

async function decodePng(blob) {
  const png = new Blob([blob], { type: "image/png" });
  const bitmap = await createImageBitmap(png, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height).data;
}
