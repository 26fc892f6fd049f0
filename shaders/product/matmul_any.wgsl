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

fn leftAt(batch: u32, m: u32, k: u32) -> f32 {
  let outside = m >= ROWS || k >= K;
  let at = batch * ROWS * K + select(m * K + k, k * ROWS + m, TRANSPOSE_A);
  return select(a[select(at, 0u, outside)], select(0.0, 1.0, m == ONES), outside);
}

fn rightAt(batch: u32, k: u32, n: u32) -> f32 {
  let outside = n >= N || k >= K;
  let at = batch * K * N + select(k * N + n, n * K + k, TRANSPOSE_B);
  return select(b[select(at, 0u, outside)], 0.0, outside);
}

fn leftColumn(batch: u32, m: u32, k: u32) -> vec4f {
  return vec4f(
    leftAt(batch, m, k),
    leftAt(batch, m + 1u, k),
    leftAt(batch, m + 2u, k),
    leftAt(batch, m + 3u, k),
  );
}

fn rightRow(batch: u32, k: u32, n: u32) -> vec4f {
  return vec4f(
    rightAt(batch, k, n),
    rightAt(batch, k, n + 1u),
    rightAt(batch, k, n + 2u),
    rightAt(batch, k, n + 3u),
  );
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
  return select(NO_ROW, batch * M + m, m < M);
}
