// Colours: of clusters, of groups of them, and those that names stand for. Pure.

// M. A. Petroff, "Accessible color sequences for data visualization", arXiv:2107.02270.
const ACCESSIBLE = ["#3F90DA", "#FFA90E", "#BD1F01", "#94A4A2", "#832DB6", "#A96B59", "#E76300", "#B9AC70", "#717581", "#92DADD"];

// What maps of land cover mostly draw things in, and other shades for a second class of the kind.
const KINDS = [
  ["#2B7BBA water sea ocean river lake stream canal pond pool wasser meer fluss see", "#5AA6DB", "#17517F"],
  ["#1F7A3D tree forest wood woodland shrub bush baum wald", "#12522A", "#4E9E62"],
  ["#6FB646 vegetation grass meadow lawn field crop cropland pasture park garden green wiese gras", "#A3CF6B", "#4B8A2B"],
  ["#C4452F building roof house urban city settlement dach haus", "#E07B5F", "#8E2A1B"],
  ["#7D8790 road street asphalt pavement paved parking highway impervious strasse weg", "#A9B1B8", "#565E66"],
  ["#D8B26A sand beach soil earth bare ground land desert dirt boden", "#B98B4A", "#EBD39B"],
  ["#8C6D5A rock stone gravel quarry cliff fels", "#B39B8B", "#634A3B"],
  ["#F2C400 car vehicle truck boat ship auto", "#D49B00", "#FFE066"],
  ["#DCEBF5 snow ice glacier cloud schnee eis", "#B8D3E6", "#F2F8FC"],
  ["#2A2F3A shadow dark shade schatten", "#474E5C", "#14171D"],
  ["#5B8C85 wetland marsh swamp bog mangrove moor", "#86B3AC", "#3A625C"],
].map(([first, ...others]) => {
  const [color, ...words] = first.split(" ");
  return { words: new Set(words), shades: [color, ...others] };
});

/** The colour of a cluster on a map of clusters: those that the run's own maps use. */
export function spreadColor(index) {
  const hue = (index * 0.618033988749895) % 1;
  const lightness = [0.45, 0.62, 0.33][index % 3];
  const saturation = 0.65 + 0.3 * Math.sin(Math.floor(index / 256));
  const chroma = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset) => {
    const k = (offset + hue * 12) % 12;
    const value = lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(value * 255)
      .toString(16)
      .padStart(2, "0")
      .toUpperCase();
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}

/** Colours for groups without end, none of them one of `taken`. */
export function* groupColors(taken = []) {
  const used = new Set(taken.map((color) => color.toUpperCase()));
  for (let index = 0; ; index += 1) {
    const color = ACCESSIBLE[index] ?? spreadColor(index - ACCESSIBLE.length);
    if (!used.has(color)) yield color;
  }
}

export function isGroupColor(color) {
  return ACCESSIBLE.includes(color.toUpperCase());
}

/** The colour that a name stands for, of those that are not taken; undefined where there is none. */
export function colorOf(name, taken = []) {
  const used = new Set(taken.map((color) => color.toUpperCase()));
  const words = name.toLowerCase().match(/\p{L}+/gu) ?? [];
  const kinds = words.map((word) => KINDS.find(({ words: known }) => known.has(word) || known.has(word.replace(/s$/, ""))));
  return kinds.find(Boolean)?.shades.find((color) => !used.has(color));
}
