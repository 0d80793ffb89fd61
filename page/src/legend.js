// What can be done with a legend. A legend is a list of classes {id, name, color, clusters}; its order is that of the
// class indices. Every function is pure: it returns a new list, or the one that it was given where nothing changes.

import { colorOf, groupColors, isGroupColor, spreadColor } from "./colors.js";

const AUTOMATIC = /^(cluster|class) \d+( \(\d+\))?$/;

/** The classes as the server gives them, each with a number of its own. */
export function fromServer(classes) {
  return classes.map(({ name, color, clusters }, id) => ({ id, name, color, clusters: [...clusters] }));
}

/** The classes as the server takes them. */
export function toServer(classes) {
  return classes.map(({ name, color, clusters }) => ({ name, color, clusters }));
}

/** The legend file that `terrasift legend RUN --from FILE` takes. JSON's strings are YAML's, but for a few letters. */
export function toYaml(classes, { classifier, ignore }) {
  const line = ({ name, color, clusters }) =>
    `  - {name: ${quoted(name)}, color: ${quoted(color)}, clusters: [${clusters.join(", ")}]}`;
  return [
    "# Class names, colours and the clusters each class holds; edit freely.",
    `classifier: ${classifier}`,
    "classes:",
    ...classes.map(line),
    `ignore: [${ignore.map(quoted).join(", ")}]`,
    "",
  ].join("\n");
}

/** Whether two legends are the same to the server. */
export function isSame(one, other) {
  return JSON.stringify(toServer(one)) === JSON.stringify(toServer(other));
}

/** Whether somebody has named this class: not so "cluster 12" and "class 3", as clusters and groups of them are. */
export function isNamed({ name }) {
  return !AUTOMATIC.test(name);
}

/** Whether this class is a single cluster that nobody has named. */
export function isSingle(entry) {
  return entry.clusters.length === 1 && !isNamed(entry);
}

/** The class that holds a cluster, or undefined. */
export function classOf(classes, cluster) {
  return classes.find(({ clusters }) => clusters.includes(cluster));
}

/** The classes that hold any of the clusters, in the legend's order. */
export function classesOf(classes, clusters) {
  const wanted = new Set(clusters);
  return classes.filter((entry) => entry.clusters.some((cluster) => wanted.has(cluster)));
}

/** The class whose clusters are exactly these, or undefined. */
export function wholeClass(classes, clusters) {
  const [entry, ...others] = classesOf(classes, clusters);
  return entry && others.length === 0 && entry.clusters.length === new Set(clusters).size ? entry : undefined;
}

/**
 * Call clusters by a name. They join the class of that name if there is one; else, if they are one whole class, it is
 * renamed; else they become a new class, in a colour that is neither another's nor one of `ignore`.
 */
export function named(classes, clusters, name, ignore = []) {
  const title = name.trim().replace(/\s+/g, " ");
  if (!title || clusters.length === 0) return classes;
  const existing = classes.find((entry) => entry.name === title);
  if (existing) return moved(classes, clusters, existing.id);
  const whole = wholeClass(classes, clusters);
  if (whole) return renamed(classes, whole.id, title, ignore);
  const donors = classesOf(classes, clusters);
  const donor = donors.find((entry) => entry.clusters.every((cluster) => clusters.includes(cluster)));
  const fresh = {
    id: nextId(classes),
    name: title,
    color: steered(classes, donor, title, ignore) ?? donor?.color ?? freeColor(classes, clusters[0], ignore),
    clusters: [],
  };
  return moved([...classes, fresh], clusters, fresh.id);
}

/** Rename one class, which may be empty. Its first name gives it a colour, too, unless somebody has chosen one. */
export function renamed(classes, id, name, ignore = []) {
  const entry = classes.find((each) => each.id === id);
  const color = isNamed(entry) ? undefined : steered(classes, entry, name, ignore);
  return replaced(classes, id, color ? { name, color } : { name });
}

/** Clusters that nobody has named joined into groups; named classes keep theirs. A group of one is that cluster. */
export function grouped(classes, groups, ignore = []) {
  const named = classes.filter(isNamed);
  const held = new Set(named.flatMap(({ clusters }) => clusters));
  const left = groups.map((group) => group.filter((cluster) => !held.has(cluster))).filter(({ length }) => length > 0);
  const colors = groupColors([...named.map(({ color }) => color), ...ignore]);
  return left.reduce(
    (legend, clusters) => {
      const alone = clusters.length === 1;
      const name = freeName(legend, alone ? `cluster ${clusters[0]}` : `class ${legend.length - named.length}`);
      const color = alone ? freeColor(legend, clusters[0], ignore) : colors.next().value;
      return [...legend, { id: nextId(legend), name, color, clusters: [...clusters].sort((a, b) => a - b) }];
    },
    named,
  );
}

/** Join clusters into one class: that with a name, else the largest of those that hold them. */
export function merged(classes, clusters, shareOf = () => 0, ignore = []) {
  const donors = classesOf(classes, clusters);
  if (clusters.length < 2 || wholeClass(classes, clusters)) return classes;
  if (donors.length === 0) {
    return named(classes, clusters, freeName(classes, `cluster ${clusters[0]}`), ignore);
  }
  const share = (entry) => entry.clusters.reduce((sum, cluster) => sum + shareOf(cluster), 0);
  const rank = (entry) => (isNamed(entry) ? 2 : 0) + share(entry);
  return moved(classes, clusters, donors.reduce((best, entry) => (rank(entry) > rank(best) ? entry : best)).id);
}

/** Give each of the clusters a class of its own. A named class that is left empty stays, to be filled again. */
export function split(classes, clusters, ignore = []) {
  return clusters.reduce((legend, cluster) => {
    const owner = classOf(legend, cluster);
    if (owner && isSingle(owner)) return legend;
    const rest = legend.map((entry) => (entry === owner ? without(entry, new Set([cluster])) : entry));
    const [name, color] = [freeName(rest, `cluster ${cluster}`), freeColor(rest, cluster, ignore)];
    return [...rest, { id: nextId(rest), name, color, clusters: [cluster] }];
  }, classes);
}

/** Draw a class in another colour, "#RRGGBB". */
export function recoloured(classes, id, color) {
  return replaced(classes, id, { color: color.toUpperCase() });
}

/** Drop a class if it holds no cluster. */
export function dropped(classes, id) {
  const kept = classes.filter((entry) => entry.id !== id || entry.clusters.length > 0);
  return kept.length < classes.length ? kept : classes;
}

/** What differs between two legends: [{clusters, mine, theirs}] by name and colour, null where there is no class. */
export function differences(mine, theirs) {
  const found = new Map();
  const note = (key, one, other, clusters) => {
    const entry = found.get(key) ?? { clusters: [], mine: one, theirs: other };
    entry.clusters.push(...clusters);
    found.set(key, entry);
  };
  const face = (entry) => (entry ? { name: entry.name, color: entry.color } : null);
  const clusters = new Set([...mine, ...theirs].flatMap((entry) => entry.clusters));
  for (const cluster of [...clusters].sort((a, b) => a - b)) {
    const [one, other] = [face(classOf(mine, cluster)), face(classOf(theirs, cluster))];
    const key = JSON.stringify([one, other]);
    if (JSON.stringify(one) !== JSON.stringify(other)) note(key, one, other, [cluster]);
  }
  const empty = (legend) => legend.filter((entry) => entry.clusters.length === 0);
  const knows = (legend, { name, color }) => legend.some((entry) => entry.name === name && entry.color === color);
  for (const entry of empty(mine)) if (!knows(theirs, entry)) note(`mine ${entry.name}`, face(entry), null, []);
  for (const entry of empty(theirs)) if (!knows(mine, entry)) note(`theirs ${entry.name}`, null, face(entry), []);
  return [...found.values()];
}

function replaced(classes, id, change) {
  const old = classes.find((entry) => entry.id === id);
  if (Object.entries(change).every(([key, value]) => old[key] === value)) return classes;
  return classes.map((entry) => (entry === old ? { ...entry, ...change } : entry));
}

function moved(classes, clusters, id) {
  const moving = new Set(clusters);
  const target = classes.find((entry) => entry.id === id);
  if (clusters.every((cluster) => target.clusters.includes(cluster))) return classes;
  return classes
    .map((entry) => {
      if (entry.id !== id) return without(entry, moving);
      return { ...entry, clusters: [...new Set([...entry.clusters, ...clusters])].sort((a, b) => a - b) };
    })
    .filter((entry, index) => entry.clusters.length > 0 || classes[index].clusters.length === 0);
}

function without(entry, clusters) {
  if (!entry.clusters.some((cluster) => clusters.has(cluster))) return entry;
  return { ...entry, clusters: entry.clusters.filter((cluster) => !clusters.has(cluster)) };
}

function quoted(text) {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function nextId(classes) {
  return 1 + Math.max(-1, ...classes.map(({ id }) => id));
}

function freeName(classes, name) {
  const taken = new Set(classes.map((entry) => entry.name));
  if (!taken.has(name)) return name;
  let number = 2;
  while (taken.has(`${name} (${number})`)) number += 1;
  return `${name} (${number})`;
}

/** The colour that a name stands for, or undefined where it stands for none, or a user has chosen one. */
function steered(classes, entry, name, ignore) {
  if (entry && !isAutomatic(entry)) return undefined;
  const others = classes.filter(({ id }) => id !== entry?.id).map(({ color }) => color);
  return colorOf(name, [...others, ...ignore]);
}

function isAutomatic({ color, clusters }) {
  return isGroupColor(color) || clusters.some((cluster) => spreadColor(cluster) === color);
}

function freeColor(classes, cluster, ignore) {
  const taken = new Set([...classes.map((entry) => entry.color), ...ignore].map((color) => color.toUpperCase()));
  let index = cluster;
  while (taken.has(spreadColor(index))) index += 1;
  return spreadColor(index);
}
