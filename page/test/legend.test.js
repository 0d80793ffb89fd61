import assert from "node:assert/strict";
import { test } from "node:test";

import * as legend from "../src/legend.js";

const unnamed = (count) =>
  legend.fromServer(
    Array.from({ length: count }, (_, k) => ({ name: `cluster ${k}`, color: legend.spreadColor(k), clusters: [k] })),
  );

const face = (classes) => legend.toServer(classes).map(({ name, clusters }) => [name, clusters]);

/** What holds of every legend that the server takes: no name, colour or cluster twice, none lost. */
function check(classes, count) {
  for (const key of ["name", "color", "id"])
    assert.equal(new Set(classes.map((entry) => entry[key])).size, classes.length, key);
  assert.deepEqual(
    classes.flatMap(({ clusters }) => clusters).sort((a, b) => a - b),
    Array.from({ length: count }, (_, k) => k),
  );
}

test("colours of clusters are those of the command line", () => {
  // of Legend.of_clusters(301)
  assert.deepEqual([0, 1, 2, 3].map(legend.spreadColor), ["#BD2828", "#5F84DD", "#5D8B1D", "#BD28AB"]);
  assert.equal(legend.spreadColor(300), "#0BDA6B");
});

test("two clusters that are called the same become one class", () => {
  const one = legend.named(unnamed(4), [1], "water");
  assert.deepEqual(face(one), [
    ["cluster 0", [0]],
    ["water", [1]],
    ["cluster 2", [2]],
    ["cluster 3", [3]],
  ]);
  const two = legend.named(one, [3], "  water ");
  assert.deepEqual(face(two), [
    ["cluster 0", [0]],
    ["water", [1, 3]],
    ["cluster 2", [2]],
  ]);
  check(two, 4);
});

test("naming several clusters makes one new class, which takes the colour of the first that it empties", () => {
  const classes = legend.named(unnamed(4), [0, 2], "road");
  assert.deepEqual(face(classes), [
    ["cluster 1", [1]],
    ["cluster 3", [3]],
    ["road", [0, 2]],
  ]);
  assert.equal(classes[2].color, legend.spreadColor(0));
  check(classes, 4);
});

test("naming a part of a class takes it out of there; naming the whole renames it", () => {
  const roof = legend.named(unnamed(4), [0, 1, 2], "roof");
  assert.deepEqual(face(legend.named(roof, [1], "pool")), [
    ["cluster 3", [3]],
    ["roof", [0, 2]],
    ["pool", [1]],
  ]);
  assert.deepEqual(face(legend.named(roof, [2, 1, 0], "building")), [
    ["cluster 3", [3]],
    ["building", [0, 1, 2]],
  ]);
  check(legend.named(roof, [1], "pool"), 4);
});

test("merging joins the class that has a name, else the largest", () => {
  const water = legend.named(unnamed(4), [1], "water");
  assert.deepEqual(face(legend.merged(water, [0, 1, 3])), [
    ["water", [0, 1, 3]],
    ["cluster 2", [2]],
  ]);
  const shares = [0.1, 0.2, 0.6, 0.1];
  assert.deepEqual(face(legend.merged(unnamed(4), [0, 2], (k) => shares[k])), [
    ["cluster 1", [1]],
    ["cluster 2", [0, 2]],
    ["cluster 3", [3]],
  ]);
});

test("splitting gives each cluster a name and a colour that nobody has", () => {
  const merged = legend.merged(unnamed(3), [0, 1]);
  const apart = legend.split(merged, [0, 1]);
  check(apart, 3);
  assert.equal(apart.length, 3);
  const odd = [{ id: 0, name: "cluster 1", color: legend.spreadColor(1), clusters: [0, 1] }];
  const names = legend.split(odd, [1]).map(({ name }) => name);
  assert.deepEqual(names, ["cluster 1", "cluster 1 (2)"]);
  check(legend.split(odd, [1]), 2);
});

test("a named class that is split up stays, empty, until it is dropped", () => {
  const water = legend.named(unnamed(2), [0], "water");
  const apart = legend.split(water, [0]);
  assert.deepEqual(face(apart), [
    ["water", []],
    ["cluster 1", [1]],
    ["cluster 0", [0]],
  ]);
  assert.deepEqual(face(legend.dropped(apart, apart[0].id)), [
    ["cluster 1", [1]],
    ["cluster 0", [0]],
  ]);
  assert.equal(legend.dropped(apart, apart[1].id), apart, "classes that hold clusters are not dropped");
});

test("empty classes of the legend outlive what happens to others", () => {
  const classes = legend.fromServer([
    ...legend.toServer(unnamed(3)),
    { name: "unlabeled", color: "#9B9B9B", clusters: [] },
  ]);
  assert.deepEqual(face(legend.merged(classes, [0, 1])).at(-1), ["unlabeled", []]);
  assert.deepEqual(face(legend.named(classes, [2], "unlabeled")).at(-1), ["unlabeled", [2]]);
});

test("clusters that no class holds can be named, merged and split off", () => {
  const classes = legend.fromServer([{ name: "land", color: "#000001", clusters: [0] }]);
  assert.deepEqual(face(legend.named(classes, [1, 2], "sea")), [
    ["land", [0]],
    ["sea", [1, 2]],
  ]);
  assert.deepEqual(face(legend.merged(classes, [1, 2])), [
    ["land", [0]],
    ["cluster 1", [1, 2]],
  ]);
  assert.deepEqual(face(legend.split(classes, [1])), [
    ["land", [0]],
    ["cluster 1", [1]],
  ]);
});

test("what changes nothing gives the same legend back", () => {
  const classes = legend.named(unnamed(3), [0, 1], "road");
  assert.equal(legend.named(classes, [0], "road"), classes);
  assert.equal(legend.named(classes, [], "road"), classes);
  assert.equal(legend.named(classes, [0], "   "), classes);
  assert.equal(legend.merged(classes, [0, 1]), classes);
  assert.equal(legend.split(classes, [2]), classes);
  assert.equal(legend.recoloured(classes, classes[0].id, classes[0].color.toLowerCase()), classes);
});

test("a fresh colour is none of those that masks ignore", () => {
  const ignore = [legend.spreadColor(0).toLowerCase(), legend.spreadColor(1)];
  const whole = legend.fromServer([{ name: "land", color: "#000001", clusters: [0, 1, 2] }]);
  const colors = (classes) => legend.toServer(classes).map(({ color }) => color);
  const free = ["#000001", legend.spreadColor(2)];
  assert.deepEqual(colors(legend.split(whole, [0], ignore)), free);
  assert.deepEqual(colors(legend.named(whole, [0, 1], "sea", ignore)), free);
  const bare = legend.fromServer([{ name: "land", color: "#000001", clusters: [] }]);
  assert.deepEqual(colors(legend.merged(bare, [0, 1], () => 0, ignore)), free);
});

test("differences name the clusters on which two legends disagree, and empty classes", () => {
  const mine = legend.named(unnamed(4), [0, 1], "road");
  const theirs = legend.fromServer([
    ...legend.toServer(legend.named(unnamed(4), [1, 2], "water")),
    { name: "snow", color: "#FFFFFF", clusters: [] },
  ]);
  const found = legend
    .differences(mine, theirs)
    .map(({ clusters, mine: one, theirs: other }) => [clusters, one?.name, other?.name]);
  assert.deepEqual(found, [
    [[0], "road", "cluster 0"],
    [[1], "road", "water"],
    [[2], "cluster 2", "water"],
    [[], undefined, "snow"],
  ]);
  assert.deepEqual(legend.differences(mine, mine), []);
});

test("any series of changes loses no cluster and repeats no name or colour", () => {
  let seed = 1;
  const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
  let classes = unnamed(12);
  for (let step = 0; step < 2000; step += 1) {
    const chosen = [...new Set(Array.from({ length: 1 + random(4) }, () => random(12)))];
    const changes = [
      () => legend.named(classes, chosen, ["water", "road", "roof", "cluster 3"][random(4)]),
      () => legend.merged(classes, chosen, (k) => k / 100),
      () => legend.split(classes, chosen),
      () => legend.dropped(classes, classes[random(classes.length)].id),
    ];
    classes = changes[random(4)]();
    check(classes, 12);
  }
});
