// Operands of y = a · b of any size, read number by number.
override BATCH: u32 = 1u;
override N: u32 = 4u;
override K: u32 = 4u;
override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;
override ROWS: u32 = M; // of a
override ONES: u32 = NO_ROW; // a further row of ones, for the sums of b
const NO_ROW = 0xffffffffu;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;

// Places are computed four at a time, without branches, which slow compilers need.
fn leftColumn(batch: u32, m: u32, k: u32) -> vec4f {
  let rows = m + vec4u(0u, 1u, 2u, 3u);
  let inside = (rows < vec4u(ROWS)) & vec4<bool>(k < K);
  let places = batch * ROWS * K + select(rows * K + k, k * ROWS + rows, TRANSPOSE_A);
  let at = select(vec4u(), places, inside);
  let ones = select(vec4f(), vec4f(1.0), rows == vec4u(ONES));
  return select(ones, vec4f(a[at.x], a[at.y], a[at.z], a[at.w]), inside);
}

fn rightRow(batch: u32, k: u32, n: u32) -> vec4f {
  let columns = n + vec4u(0u, 1u, 2u, 3u);
  let inside = (columns < vec4u(N)) & vec4<bool>(k < K);
  let places = batch * K * N + select(k * N + columns, columns * K + k, TRANSPOSE_B);
  let at = select(vec4u(), places, inside);
  return select(vec4f(), vec4f(b[at.x], b[at.y], b[at.z], b[at.w]), inside);
}

fn leftBlock(batch: u32, line: u32, k: u32) -> mat4x4f {
  let m = line * 4u;
  return mat4x4f(
    leftColumn(batch, m, k * 4u),
    leftColumn(batch, m, k * 4u + 1u),
    leftColumn(batch, m, k * 4u + 2u),
    leftColumn(batch, m, k * 4u + 3u),
  );
}

fn rightBlock(batch: u32, k: u32, line: u32) -> mat4x4f {
  let n = line * 4u;
  return mat4x4f(
    rightRow(batch, k * 4u, n),
    rightRow(batch, k * 4u + 1u, n),
    rightRow(batch, k * 4u + 2u, n),
    rightRow(batch, k * 4u + 3u, n),
  );
}

fn resultRow(batch: u32, m: u32) -> u32 {
  return select(NO_ROW, batch * M + m, WHOLE_M || m < M);
}
