// y = a · b as in plain.wgsl, for N and K (and M, if a is transposed) divisible by 4 and machines without fast shared
// memory: one invocation computes 4 rows by 4 columns in registers. N4 and K4 count vec4s.
override BATCH: u32 = 1u;
override M: u32 = 4u;
override N4: u32 = 1u;
override K4: u32 = 1u;
override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;
override M4: u32 = (M + 3u) / 4u;

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
  if (index >= BATCH * M4 * N4) { return; }
  let n = index % N4;
  let m = index / N4 % M4;
  let batch = index / (N4 * M4);
  var y0 = vec4f();
  var y1 = vec4f();
  var y2 = vec4f();
  var y3 = vec4f();
  for (var k = 0u; k < K4; k++) {
    let rows = rowsOfA(batch, m, k);
    let block = blockOfB(batch, k, n);
    y0 += product(rows[0], block);
    y1 += product(rows[1], block);
    y2 += product(rows[2], block);
    y3 += product(rows[3], block);
  }
  let row = m * 4u;
  let at = (batch * M + row) * N4 + n;
  y[at] = epilogue(at, y0);
  if (row + 1u < M) { y[at + N4] = epilogue(at + N4, y1); }
  if (row + 2u < M) { y[at + 2u * N4] = epilogue(at + 2u * N4, y2); }
  if (row + 3u < M) { y[at + 3u * N4] = epilogue(at + 3u * N4, y3); }
}
