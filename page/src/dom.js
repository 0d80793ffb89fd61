// Small helps with elements. Text goes in as text, never as markup.

/** An element with attributes and children: nodes, or strings as text. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** An icon of the sprite in index.html. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  picture.setAttribute("class", "icon");
  picture.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#icon-${name}`);
  picture.append(use);
  return picture;
}

/** A square of a colour. */
export function swatch(color) {
  const square = element("span", { class: "swatch", "aria-hidden": "true" });
  square.style.backgroundColor = color;
  return square;
}

export const byId = (id) => document.getElementById(id);

/** A share between 0 and 1 as per cent, short. */
export function percent(share) {
  if (share === 0) return "0 %";
  if (share < 0.0005) return "<0.1 %";
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
}

/** "1 cluster", "3 clusters". */
export function counted(count, what, many = `${what}s`) {
  return `${count} ${count === 1 ? what : many}`;
}
