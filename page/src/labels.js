// Labels clicked in scenes. A lesson is {classes: [{name, color}], labels: [{scene, row, column, name}]}. Pure.

import { colorOf, groupColors } from "./colors.js";

/** With one class more; the same lesson where its name is empty or taken. */
export function withClass(lesson, name) {
  const title = name.trim().replace(/\s+/g, " ");
  if (!title || lesson.classes.some((entry) => entry.name === title)) return lesson;
  const taken = lesson.classes.map(({ color }) => color);
  const color = colorOf(title, taken) ?? groupColors(taken).next().value;
  return { ...lesson, classes: [...lesson.classes, { name: title, color }] };
}

/** Without a class and its labels. */
export function withoutClass(lesson, name) {
  return {
    classes: lesson.classes.filter((entry) => entry.name !== name),
    labels: lesson.labels.filter((label) => label.name !== name),
  };
}

/** With a pixel labelled; one that had a label takes the new one. */
export function withLabel(lesson, label) {
  const others = lesson.labels.filter((other) => !isSamePlace(other, label));
  return { ...lesson, labels: [...others, label] };
}

/** Without the label nearest to a pixel, if one lies within `reach` pixels; else the same lesson. */
export function withoutNearest(lesson, { scene, row, column }, reach) {
  const away = (label) => Math.hypot(label.row - row, label.column - column);
  const near = lesson.labels.filter((label) => label.scene === scene && away(label) <= reach);
  if (near.length === 0) return lesson;
  const nearest = near.reduce((best, label) => (away(label) < away(best) ? label : best));
  return { ...lesson, labels: lesson.labels.filter((label) => label !== nearest) };
}

/** How many labels each class has, by its name. */
export function counts({ classes, labels }) {
  const found = new Map(classes.map(({ name }) => [name, 0]));
  for (const { name } of labels) found.set(name, (found.get(name) ?? 0) + 1);
  return found;
}

function isSamePlace(one, other) {
  return one.scene === other.scene && one.row === other.row && one.column === other.column;
}
