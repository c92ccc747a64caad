/** Puts the maps of a run into the drawing; without any it stands as it is. */
export default function ({ data, parentElement }) {
  for (const place of parentElement.querySelectorAll("image[data-map]")) {
    const map = data?.[place.dataset.map];
    if (map) place.setAttribute("href", map);
    else place.removeAttribute("href");
  }
}
