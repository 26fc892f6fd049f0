// y = a · b as in plain.wgsl, for N and K (and M, if a is transposed) divisible by 4: a workgroup computes a tile of
// 4 · ROWS by 4 · COLUMNS results from tiles of a and b in workgroup memory, an invocation 4 by 4 of them.
override BATCH: u32 = 1u;
override M: u32 = 4u;
override N4: u32 = 1u;
override K4: u32 = 1u;
override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;
override ROWS: u32 = 16u;
override COLUMNS: u32 = 16u;
override M4: u32 = (M + 3u) / 4u;

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

// Each holds 32 values of k; vec4s lie along m and n. Within row k, column c stands at c ^ (k / 4 % 8), so that the
// blocks of 4 by 4 in which tiles are filled meet different memory banks.
var<workgroup> tileA: array<vec4f, 32u * ROWS>;
var<workgroup> tileB: array<vec4f, 32u * COLUMNS>;

fn rowOfA(batch: u32, m: u32, k: u32) -> vec4f {
  if (m >= M || k >= K4) { return vec4f(); }
  return a[(batch * M + m) * K4 + k];
}

fn rowOfTransposedA(batch: u32, k: u32, m: u32) -> vec4f {
  if (m >= M4 || k >= K4 * 4u) { return vec4f(); }
  return a[(batch * K4 * 4u + k) * M4 + m];
}

fn rowOfB(batch: u32, k: u32, n: u32) -> vec4f {
  if (n >= N4 || k >= K4 * 4u) { return vec4f(); }
  return b[(batch * K4 * 4u + k) * N4 + n];
}

fn rowOfTransposedB(batch: u32, n: u32, k: u32) -> vec4f {
  if (n >= N4 * 4u || k >= K4) { return vec4f(); }
  return b[(batch * N4 * 4u + n) * K4 + k];
}

// Four values of k (columns) for four values of m.
fn blockOfA(batch: u32, m: u32, k: u32) -> mat4x4f {
  let j = k * 4u;
  if (TRANSPOSE_A) {
    return mat4x4f(
      rowOfTransposedA(batch, j, m),
      rowOfTransposedA(batch, j + 1u, m),
      rowOfTransposedA(batch, j + 2u, m),
      rowOfTransposedA(batch, j + 3u, m),
    );
  }
  let i = m * 4u;
  return transpose(mat4x4f(
    rowOfA(batch, i, k),
    rowOfA(batch, i + 1u, k),
    rowOfA(batch, i + 2u, k),
    rowOfA(batch, i + 3u, k),
  ));
}

// Four values of k (columns) for four values of n.
fn blockOfB(batch: u32, k: u32, n: u32) -> mat4x4f {
  let j = k * 4u;
  if (!TRANSPOSE_B) {
    return mat4x4f(
      rowOfB(batch, j, n),
      rowOfB(batch, j + 1u, n),
      rowOfB(batch, j + 2u, n),
      rowOfB(batch, j + 3u, n),
    );
  }
  let i = n * 4u;
  return transpose(mat4x4f(
    rowOfTransposedB(batch, i, k),
    rowOfTransposedB(batch, i + 1u, k),
    rowOfTransposedB(batch, i + 2u, k),
    rowOfTransposedB(batch, i + 3u, k),
  ));
}

@compute @workgroup_size(COLUMNS, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let batch = group.z;
  let m0 = group.y * ROWS;
  let n0 = group.x * COLUMNS;
  let row = lane / COLUMNS;
  let column = lane % COLUMNS;
  var y0 = vec4f();
  var y1 = vec4f();
  var y2 = vec4f();
  var y3 = vec4f();
  for (var k0 = 0u; k0 < K4; k0 += 8u) {
    for (var i = lane; i < 8u * (ROWS + COLUMNS); i += ROWS * COLUMNS) {
      let k = i % 8u;
      let line = i / 8u;
      if (line < ROWS) {
        let block = blockOfA(batch, m0 + line, k0 + k);
        let at = k * 4u * ROWS + (line ^ k);
        tileA[at] = block[0];
        tileA[at + ROWS] = block[1];
        tileA[at + 2u * ROWS] = block[2];
        tileA[at + 3u * ROWS] = block[3];
      } else {
        let block = blockOfB(batch, k0 + k, n0 + line - ROWS);
        let at = k * 4u * COLUMNS + ((line - ROWS) ^ k);
        tileB[at] = block[0];
        tileB[at + COLUMNS] = block[1];
        tileB[at + 2u * COLUMNS] = block[2];
        tileB[at + 3u * COLUMNS] = block[3];
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < 32u; k++) {
      let left = tileA[k * ROWS + (row ^ (k / 4u))];
      let right = tileB[k * COLUMNS + (column ^ (k / 4u))];
      y0 += left.x * right;
      y1 += left.y * right;
      y2 += left.z * right;
      y3 += left.w * right;
    }
    workgroupBarrier();
  }
  let m = (m0 + row) * 4u;
  let n = n0 + column;
  if (n >= N4) { return; }
  let at = (batch * M + m) * N4 + n;
  if (m < M) { y[at] = y0; }
  if (m + 1u < M) { y[at + N4] = y1; }
  if (m + 2u < M) { y[at + 2u * N4] = y2; }
  if (m + 3u < M) { y[at + 3u * N4] = y3; }
}
