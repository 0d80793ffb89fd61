// Steps between items that lie side by side and in rows.

/** The item nearest to one in the next row of the screen, down (1) or up (-1); undefined where there is none. */
export function below(item, items, direction) {
  const from = item.getBoundingClientRect();
  const ahead = items
    .map((each) => ({ each, box: each.getBoundingClientRect() }))
    .filter(({ box }) => direction * (box.top - from.top) > from.height / 2);
  const row = Math.min(...ahead.map(({ box }) => direction * box.top));
  const inRow = ahead.filter(({ box }) => direction * box.top < row + 4);
  const away = ({ box }) => Math.max(box.left - centre(from), centre(from) - box.right, 0);
  return inRow.sort((a, b) => away(a) - away(b))[0]?.each;
}

function centre({ left, right }) {
  return (left + right) / 2;
}
