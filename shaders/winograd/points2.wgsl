// F(2×2, 3×3): how a line of a tile is transformed for the points 0, ±1 and ∞ (Lavin and Gray 2016).
const SIDE: u32 = 4u; // of a tile of the source, and values of a line after the transform
const OUT: u32 = 2u; // of a tile of the result

fn sourceLine(d: array<vec4f, SIDE>) -> array<vec4f, SIDE> {
  return array<vec4f, SIDE>(d[0] - d[2], d[1] + d[2], d[2] - d[1], d[3] - d[1]);
}

fn filterLine(g: array<vec4f, 3>) -> array<vec4f, SIDE> {
  let even = 0.5 * (g[0] + g[2]);
  let odd = 0.5 * g[1];
  return array<vec4f, SIDE>(g[0], even + odd, even - odd, g[2]);
}

fn resultLine(m: array<vec4f, SIDE>) -> array<vec4f, OUT> {
  return array<vec4f, OUT>(m[0] + (m[1] + m[2]), (m[1] - m[2]) + m[3]);
}

// The transpose of `resultLine`.
fn cotangentLine(y: array<vec4f, OUT>) -> array<vec4f, SIDE> {
  return array<vec4f, SIDE>(y[0], y[0] + y[1], y[0] - y[1], y[1]);
}

// The transpose of `filterLine`.
fn filterGradientLine(u: array<vec4f, SIDE>) -> array<vec4f, 3> {
  let even = 0.5 * (u[1] + u[2]);
  return array<vec4f, 3>(u[0] + even, 0.5 * (u[1] - u[2]), even + u[3]);
}
