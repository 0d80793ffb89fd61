// What lies under the pixel that was asked about.

import { byId, element, icon, percent, swatch } from "./dom.js";
import { classOf, isSingle } from "./legend.js";

/** A point of the server's in a line: "Cluster 12, water, 83 %, at column 310, row 44." */
export function describePoint({ cluster, confidence, column, row }, classes) {
  const place = `at column ${column}, row ${row}.`;
  if (cluster === null) return `No data ${place}`;
  const owner = classOf(classes, cluster);
  const name = owner ? (isSingle(owner) ? "not named yet" : owner.name) : "no class";
  return [`Cluster ${cluster}`, name, confidence === null ? "" : percent(confidence / 100), place]
    .filter(Boolean)
    .join(", ");
}

/** Show a point of the server's, or nothing; `onClose` follows the button. The keyboard goes back to the map then. */
export function showPoint(state, onClose) {
  const panel = byId("point-panel");
  const { point, scene, history } = state;
  const hadFocus = panel.contains(document.activeElement);
  panel.hidden = !point;
  if (!point) {
    panel.replaceChildren();
    if (hadFocus) byId("map").focus();
    return;
  }
  const close = element("button", { type: "button", class: "quiet icon-only", "aria-label": "Close" }, icon("close"));
  close.addEventListener("click", onClose);
  const owner = point.cluster === null ? undefined : classOf(history.present, point.cluster);
  const title = owner
    ? [swatch(owner.color), element("span", {}, owner.name)]
    : [point.cluster === null ? "No data" : "No class"];
  const rows = [
    ["Cluster", point.cluster === null ? null : String(point.cluster)],
    ["Confidence", point.confidence === null ? null : percent(point.confidence / 100)],
    ["Column, row", `${point.column}, ${point.row}`],
    ["Easting", metres(point.easting)],
    ["Northing", metres(point.northing)],
    ["Latitude", degrees(point.latitude)],
    ["Longitude", degrees(point.longitude)],
    ...point.values.map((value, band) => [
      scene.band_names[band] || `Band ${band + 1}`,
      value === null ? null : short(value),
    ]),
  ].filter(([, value]) => value !== null);
  panel.replaceChildren(
    element("header", {}, element("strong", {}, ...title), close),
    element("dl", {}, ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])),
  );
  if (hadFocus) close.focus();
}

/** The scene's coordinates of a pixel, as text, or "" where it has none. */
export function coordinates({ crs, transform }, [x, y]) {
  if (!crs || !transform || String(transform) === "1,0,0,0,1,0") return ""; // a file without a geotransform
  const [a, b, c, d, e, f] = transform;
  return `${metres(a * x + b * y + c)}, ${metres(d * x + e * y + f)}`;
}

function metres(value) {
  if (value === null || value === undefined) return null;
  return value.toLocaleString("en-GB", {
    minimumFractionDigits: 2,
    maximumFractionDigits: Math.abs(value) < 1000 ? 6 : 2,
  });
}

function degrees(value) {
  return value === null || value === undefined ? null : `${value.toFixed(6)}°`;
}

function short(value) {
  return Number.isInteger(value) ? String(value) : value.toPrecision(6);
}
