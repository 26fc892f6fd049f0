// Operands of y = a · b, for K and N divisible by 4 (and M, if a is stored transposed).
override BATCH: u32 = 1u;
override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;
override ROWS: u32 = M; // of a
override ONES: u32 = NO_ROW; // a further row of ones under a transposed one, for the sums of b
override M4: u32 = (ROWS + 3u) / 4u;
const NO_ROW = 0xffffffffu;

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;

fn rowOfA(batch: u32, m: u32, k: u32) -> vec4f {
  if (!WHOLE_M && m >= M) { return vec4f(); }
  return a[(batch * M + m) * K4 + k];
}

// Four values of k (columns) for four rows.
fn leftBlock(batch: u32, line: u32, k: u32) -> mat4x4f {
  if (!WHOLE_K && k >= K4) { return mat4x4f(); }
  if (TRANSPOSE_A) {
    if (!(WHOLE_M && ROWS == M) && line >= M4) {
      let ones = select(vec4f(), vec4f(1.0), vec4u(0u, 1u, 2u, 3u) + line * 4u == vec4u(ONES));
      return mat4x4f(ones, ones, ones, ones);
    }
    let at = (batch * K4 + k) * 4u * M4 + line;
    return mat4x4f(a[at], a[at + M4], a[at + 2u * M4], a[at + 3u * M4]);
  }
  let m = line * 4u;
  return transpose(mat4x4f(
    rowOfA(batch, m, k),
    rowOfA(batch, m + 1u, k),
    rowOfA(batch, m + 2u, k),
    rowOfA(batch, m + 3u, k),
  ));
}

// Four values of k (columns) for four columns of the result.
fn rightBlock(batch: u32, k: u32, line: u32) -> mat4x4f {
  if ((!WHOLE_K && k >= K4) || (!WHOLE_N && line >= N4)) { return mat4x4f(); }
  if (!TRANSPOSE_B) {
    let at = (batch * K4 + k) * 4u * N4 + line;
    return mat4x4f(b[at], b[at + N4], b[at + 2u * N4], b[at + 3u * N4]);
  }
  let at = (batch * N4 + line) * 4u * K4 + k;
  return transpose(mat4x4f(b[at], b[at + K4], b[at + 2u * K4], b[at + 3u * K4]));
}

fn resultRow(batch: u32, m: u32) -> u32 {
  return select(NO_ROW, batch * M + m, WHOLE_M || m < M);
}
