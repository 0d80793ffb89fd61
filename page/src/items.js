// What the list of classes is built of.

import { counted, element, icon, percent, swatch } from "./dom.js";

/** A titled group of items; nothing if there are none. */
export function section(title, look, items) {
  if (items.length === 0) return [];
  const count = element("span", {}, String(items.length));
  return [element("h2", { "aria-hidden": "true" }, title, " ", count), group(title, look, items)];
}

export function group(title, look, items) {
  return element("ul", { role: "group", class: look, "aria-label": title }, ...items);
}

/** A class of the legend, by its index, around the item that stands for it. */
export function classItem(index, item) {
  return element("li", { role: "none", "data-testid": "class-item", "data-class": index }, item);
}

export function wrapped(item) {
  return element("li", { role: "none" }, item);
}

/** The line of a class; below it lie its clusters if it is open. */
export function head(entry, share, open) {
  const clusters = counted(entry.clusters.length, "cluster");
  const label = `${entry.name}, ${clusters}, ${percent(share)} of the scene`;
  const line = element(
    "div",
    {
      class: "head",
      role: "treeitem",
      tabindex: -1,
      "aria-level": 1,
      "aria-expanded": entry.clusters.length > 0 ? String(open) : null,
      "aria-label": label,
      "data-label": label,
      "data-key": `class:${entry.id}`,
    },
    element("span", { class: "chevron" }, icon("chevron")),
    swatch(entry.color),
    element("span", { class: "name" }, entry.name),
    element("span", { class: "count", title: clusters }, String(entry.clusters.length)),
    element("span", { class: "share" }, percent(share)),
    check(),
  );
  if (share > 0) line.append(bar(entry.color, share));
  return line;
}

/** A cluster: its picture, number and share, which is undefined until the scene is counted. */
export function tile(cluster, { level, share, absent }, shown) {
  const about = absent ? "not in this scene" : `${percent(share ?? 0)} of the scene`;
  const caption = [element("b", {}, String(cluster)), element("span", {}, share === undefined ? "–" : percent(share))];
  return element(
    "div",
    {
      class: absent ? "tile absent" : "tile",
      role: "treeitem",
      tabindex: -1,
      title: `Cluster ${cluster}: ${about}`,
      "aria-level": level,
      "aria-label": `cluster ${cluster}, ${about}`,
      "data-testid": "cluster-item",
      "data-cluster": cluster,
      "data-key": `cluster:${cluster}`,
    },
    shown,
    element("span", { class: "caption" }, ...caption),
    check(),
  );
}

/** What a cluster looks like, or a blank for one that is not in the scene. */
export function picture(about) {
  const holder = element("span", { class: "picture" });
  if (!about) return holder;
  holder.style.backgroundColor = about.color;
  if (about.thumbnail) {
    holder.append(
      element("img", { src: about.thumbnail, alt: "", width: 64, height: 64, loading: "lazy", draggable: "false" }),
    );
  }
  return holder;
}

function bar(color, share) {
  const line = element("span", { class: "bar-of-share" });
  line.style.width = `${100 * share}%`;
  line.style.backgroundColor = color;
  return line;
}

function check() {
  return element("span", { class: "check", "aria-hidden": "true" }, icon("check"));
}
