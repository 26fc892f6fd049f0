/** Colours of classes, told apart by the colour-blind too: Okabe and Ito's, ordered by how well neighbours differ. */
const COLORS: readonly (readonly [number, number, number])[] = [
  [0, 114, 178],
  [230, 159, 0],
  [0, 158, 115],
  [204, 121, 167],
  [86, 180, 233],
  [213, 94, 0],
];

/** Red, green, blue of a class. */
export function colorOf(label: number): readonly [number, number, number] {
  return COLORS[label % COLORS.length];
}
