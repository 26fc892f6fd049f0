// y = a · b as in plain.wgsl, for N and K (and M, if a is transposed) divisible by 4 and machines without fast shared
// memory: one invocation computes 4 · ROWS rows by 4 · COLUMNS columns in registers. N4 and K4 count vec4s.
override BATCH: u32 = 1u;
override M: u32 = 4u;
override N4: u32 = 1u;
override K4: u32 = 1u;
override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;
override ROWS: u32 = 1u;
override COLUMNS: u32 = 1u;
override M4: u32 = (M + 3u) / 4u;
override TILES_M: u32 = (M4 + ROWS - 1u) / ROWS;
override TILES_N: u32 = (N4 + COLUMNS - 1u) / COLUMNS;

const MOST_ROWS = 4u;
const MOST_COLUMNS = 2u;

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

fn epilogue(at: u32, value: vec4f) -> vec4f { return value; }

// Columns are the rows 4 · m … 4 · m + 3 of a, each with its elements 4 · k … 4 · k + 3. Rows past the end repeat the last.
fn rowsOfA(batch: u32, m: u32, k: u32) -> mat4x4f {
  if (TRANSPOSE_A) {
    let at = (batch * K4 + k) * 4u * M4 + m;
    return transpose(mat4x4f(a[at], a[at + M4], a[at + 2u * M4], a[at + 3u * M4]));
  }
  let base = batch * M * K4 + k;
  let row = m * 4u;
  let last = M - 1u;
  return mat4x4f(
    a[base + row * K4],
    a[base + min(row + 1u, last) * K4],
    a[base + min(row + 2u, last) * K4],
    a[base + min(row + 3u, last) * K4],
  );
}

// Columns are the rows 4 · k … 4 · k + 3 of b; or, if b is transposed, its stored rows 4 · n … 4 · n + 3.
fn blockOfB(batch: u32, k: u32, n: u32) -> mat4x4f {
  if (TRANSPOSE_B) {
    let at = (batch * N4 + n) * 4u * K4 + k;
    return mat4x4f(b[at], b[at + K4], b[at + 2u * K4], b[at + 3u * K4]);
  }
  let at = (batch * K4 + k) * 4u * N4 + n;
  return mat4x4f(b[at], b[at + N4], b[at + 2u * N4], b[at + 3u * N4]);
}

fn product(row: vec4f, block: mat4x4f) -> vec4f {
  if (TRANSPOSE_B) { return row * block; }
  return block * row;
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 32u + lane;
  if (index >= BATCH * TILES_M * TILES_N) { return; }
  let n = index % TILES_N * COLUMNS;
  let m = index / TILES_N % TILES_M * ROWS;
  let batch = index / (TILES_N * TILES_M);
  var sums: array<array<vec4f, 4u * MOST_ROWS>, MOST_COLUMNS>;
  for (var k = 0u; k < K4; k++) {
    var blocks: array<mat4x4f, MOST_COLUMNS>;
    // unroll
    for (var j = 0u; j < COLUMNS; j++) {
      blocks[j] = blockOfB(batch, k, min(n + j, N4 - 1u));
    }
    // unroll
    for (var i = 0u; i < ROWS; i++) {
      let rows = rowsOfA(batch, min(m + i, M4 - 1u), k);
      // unroll
      for (var j = 0u; j < COLUMNS; j++) {
        sums[j][4u * i] += product(rows[0], blocks[j]);
        sums[j][4u * i + 1u] += product(rows[1], blocks[j]);
        sums[j][4u * i + 2u] += product(rows[2], blocks[j]);
        sums[j][4u * i + 3u] += product(rows[3], blocks[j]);
      }
    }
  }
  // unroll
  for (var j = 0u; j < COLUMNS; j++) {
    // unroll
    for (var i = 0u; i < ROWS; i++) {
      // unroll
      for (var r = 0u; r < 4u; r++) {
        let row = 4u * (m + i) + r;
        let at = (batch * M + row) * N4 + n + j;
        if (row < M && n + j < N4) { y[at] = epilogue(at, sums[j][4u * i + r]); }
      }
    }
  }
}
