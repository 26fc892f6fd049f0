// F(4×4, 3×3): how a line of a tile is transformed for the points 0, ±A, ±B and ∞. With these two the f32 error is about half of
// what it is with the usual 1 and 2, and all products of them below are exact.
const SIDE: u32 = 6u; // of a tile of the source, and values of a line after the transform
const OUT: u32 = 4u; // of a tile of the result
const A: f32 = 0.625;
const B: f32 = 1.5;
const AA: f32 = A * A;
const BB: f32 = B * B;
const AABB: f32 = AA * BB;
// Reciprocals of Π (p - q) over the other finite points q, for p = 0, ±A and ±B.
const AT_0: f32 = 1.0 / AABB;
const AT_A: f32 = 0.5 / (AA * (AA - BB));
const AT_B: f32 = 0.5 / (BB * (BB - AA));

fn sourceLine(d: array<vec4f, SIDE>) -> array<vec4f, SIDE> {
  let evenA = d[4] - BB * d[2];
  let oddA = A * (d[3] - BB * d[1]);
  let evenB = d[4] - AA * d[2];
  let oddB = B * (d[3] - AA * d[1]);
  return array<vec4f, SIDE>(
    AABB * d[0] - (AA + BB) * d[2] + d[4],
    evenA + oddA,
    evenA - oddA,
    evenB + oddB,
    evenB - oddB,
    AABB * d[1] - (AA + BB) * d[3] + d[5],
  );
}

fn filterLine(g: array<vec4f, 3>) -> array<vec4f, SIDE> {
  let evenA = AT_A * (g[0] + AA * g[2]);
  let oddA = AT_A * A * g[1];
  let evenB = AT_B * (g[0] + BB * g[2]);
  let oddB = AT_B * B * g[1];
  return array<vec4f, SIDE>(AT_0 * g[0], evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB, g[2]);
}

fn resultLine(m: array<vec4f, SIDE>) -> array<vec4f, OUT> {
  let evenA = m[1] + m[2];
  let oddA = A * (m[1] - m[2]);
  let evenB = m[3] + m[4];
  let oddB = B * (m[3] - m[4]);
  return array<vec4f, OUT>(
    m[0] + evenA + evenB,
    oddA + oddB,
    AA * evenA + BB * evenB,
    AA * oddA + BB * oddB + m[5],
  );
}

// The transpose of `resultLine`.
fn cotangentLine(y: array<vec4f, OUT>) -> array<vec4f, SIDE> {
  let evenA = y[0] + AA * y[2];
  let oddA = A * (y[1] + AA * y[3]);
  let evenB = y[0] + BB * y[2];
  let oddB = B * (y[1] + BB * y[3]);
  return array<vec4f, SIDE>(y[0], evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB, y[3]);
}

// The transpose of `filterLine`.
fn filterGradientLine(u: array<vec4f, SIDE>) -> array<vec4f, 3> {
  let evenA = AT_A * (u[1] + u[2]);
  let evenB = AT_B * (u[3] + u[4]);
  return array<vec4f, 3>(
    AT_0 * u[0] + evenA + evenB,
    AT_A * A * (u[1] - u[2]) + AT_B * B * (u[3] - u[4]),
    AA * evenA + BB * evenB + u[5],
  );
}
