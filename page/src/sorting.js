// The order of clusters in the list. Pure.

/** Clusters by area, number, or colour; `sort` says which. */
export function inOrder(clusters, { sort, shares, clusters: known }) {
  if (sort === "number") return [...clusters].sort((a, b) => a - b);
  if (sort === "color") return bySimilarColor(clusters, new Map(known.map(({ cluster, color }) => [cluster, color])));
  const share = (cluster) => shares.get(cluster) ?? 0;
  return [...clusters].sort((a, b) => share(b) - share(a) || a - b);
}

/** Those for which a test holds, and the others. */
export function parted(items, test) {
  return [items.filter(test), items.filter((item) => !test(item))];
}

/** Clusters from the darkest on, each followed by the one most like it of those that are left. */
export function bySimilarColor(clusters, colors) {
  const left = clusters.map((cluster) => ({ cluster, value: channels(colors.get(cluster) ?? "#000000") }));
  left.sort((a, b) => sum(a.value) - sum(b.value));
  const order = left.splice(0, 1);
  while (left.length > 0) {
    const last = order.at(-1).value;
    const distances = left.map(({ value }) => sum(value.map((channel, index) => (channel - last[index]) ** 2)));
    order.push(...left.splice(distances.indexOf(Math.min(...distances)), 1));
  }
  return order.map(({ cluster }) => cluster);
}

function channels(color) {
  return [1, 3, 5].map((start) => parseInt(color.slice(start, start + 2), 16));
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
