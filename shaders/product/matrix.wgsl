// A matrix product as in tiled.wgsl by the matrix units of a GPU: operands are rounded to halves, sums are f32. A workgroup computes
// TILE_ROWS by TILE_COLUMNS results, a subgroup of it ROW_MATRICES by COLUMN_MATRICES matrices of 16 × 16.
enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
requires buffer_view, subgroup_id;
override M: u32 = 16u;
override N4: u32 = 4u;
override K4: u32 = 4u;
override CHUNK4: u32 = 4u; // values of k in vec4s that a split takes
override SPLITS: u32 = 1u;
override SPLIT_ROWS: u32 = 0u; // rows of results from one split to the next
override SUBGROUP_ROWS: u32 = 1u; // subgroups side by side
override SUBGROUP_COLUMNS: u32 = 1u;
override ROW_MATRICES: u32 = 1u;
override COLUMN_MATRICES: u32 = 1u;
override DEPTH: u32 = 16u;
override DEPTH16: u32 = 1u;
override SLABS: u32 = 1u; // in workgroup memory: 1, or 2 for one barrier a slab
override LEFT_ALONG_K: bool = true; // whether neighbours in memory differ in k
override RIGHT_ALONG_K: bool = false;
override LEFT_BLOCKS: u32 = 1u; // blocks of 4 × 4 that an invocation loads a slab
override RIGHT_BLOCKS: u32 = 1u;
override SUMS: u32 = ROW_MATRICES * COLUMN_MATRICES;
override DEPTH4: u32 = DEPTH / 4u;
override TILE_ROWS: u32 = SUBGROUP_ROWS * ROW_MATRICES * 16u;
override TILE_COLUMNS: u32 = SUBGROUP_COLUMNS * COLUMN_MATRICES * 16u;
override LEFT_LINES: u32 = TILE_ROWS / 4u;
override RIGHT_LINES: u32 = TILE_COLUMNS / 4u;
override INVOCATIONS: u32 = 32u * SUBGROUP_ROWS * SUBGROUP_COLUMNS;
// Distances in halves from one row (or value of k) to the next; 8 more than needed keep memory banks apart.
override LEFT_STEP: u32 = select(TILE_ROWS, DEPTH, LEFT_ALONG_K) + 8u;
override RIGHT_STEP: u32 = select(TILE_COLUMNS, DEPTH, RIGHT_ALONG_K) + 8u;
override LEFT_SIZE: u32 = select(DEPTH, TILE_ROWS, LEFT_ALONG_K) * LEFT_STEP;
override RIGHT_SIZE: u32 = select(DEPTH, TILE_COLUMNS, RIGHT_ALONG_K) * RIGHT_STEP;
override SLAB: u32 = LEFT_SIZE + RIGHT_SIZE;
override BAND: u32 = 16u * COLUMN_MATRICES; // columns of a subgroup
override BYTES: u32 = max(2u * SLABS * SLAB, 64u * BAND * SUBGROUP_ROWS * SUBGROUP_COLUMNS);

@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

var<workgroup> memory: buffer<BYTES>;

alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;

fn epilogue(at: u32, value: vec4f) -> vec4f { return value; }

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32,
        @builtin(subgroup_id) subgroup: u32) {
  let halves = bufferView<array<f16>>(&memory, 0);
  let quads = bufferView<array<vec4<f16>>>(&memory, 0);
  let row = subgroup / SUBGROUP_COLUMNS * ROW_MATRICES * 16u;
  let column = subgroup % SUBGROUP_COLUMNS * BAND;
  let batch = group.z / SPLITS;
  let split = group.z % SPLITS;
  let m0 = group.y * LEFT_LINES;
  let n0 = group.x * RIGHT_LINES;
  let first = split * CHUNK4;
  let end = min(first + CHUNK4, K4);
  var sums: array<Sum, SUMS>;
  var leftBlocks: array<mat4x4<f16>, LEFT_BLOCKS>;
  var rightBlocks: array<mat4x4<f16>, RIGHT_BLOCKS>;
  var slab = 0u;
  for (var k = first; ; k += DEPTH4) {
    if (k < end) {
      // unroll
      for (var b = 0u; b < LEFT_BLOCKS; b++) {
        let i = lane + b * INVOCATIONS;
        let j = select(i / LEFT_LINES, i % DEPTH4, LEFT_ALONG_K);
        let line = select(i % LEFT_LINES, i / DEPTH4, LEFT_ALONG_K);
        if (i < LEFT_LINES * DEPTH4) { leftBlocks[b] = mat4x4<f16>(leftBlock(batch, m0 + line, k + j)); }
      }
      // unroll
      for (var b = 0u; b < RIGHT_BLOCKS; b++) {
        let i = lane + b * INVOCATIONS;
        let j = select(i / RIGHT_LINES, i % DEPTH4, RIGHT_ALONG_K);
        let line = select(i % RIGHT_LINES, i / DEPTH4, RIGHT_ALONG_K);
        if (i < RIGHT_LINES * DEPTH4) { rightBlocks[b] = mat4x4<f16>(rightBlock(batch, k + j, n0 + line)); }
      }
    }
    if (k > first) {
      let leftSlab = (slab + 1u) % SLABS * SLAB;
      let rightSlab = leftSlab + LEFT_SIZE;
      // unroll
      for (var j = 0u; j < DEPTH16; j++) {
        var b: array<Right, COLUMN_MATRICES>;
        // unroll
        for (var q = 0u; q < COLUMN_MATRICES; q++) {
          let n = column + q * 16u;
          if (RIGHT_ALONG_K) {
            b[q] = subgroupMatrixLoad<Right, col_major>(halves, rightSlab + n * RIGHT_STEP + j * 16u, RIGHT_STEP);
          } else {
            b[q] = subgroupMatrixLoad<Right, row_major>(halves, rightSlab + j * 16u * RIGHT_STEP + n, RIGHT_STEP);
          }
        }
        // unroll
        for (var p = 0u; p < ROW_MATRICES; p++) {
          let m = row + p * 16u;
          var a: Left;
          if (LEFT_ALONG_K) {
            a = subgroupMatrixLoad<Left, row_major>(halves, leftSlab + m * LEFT_STEP + j * 16u, LEFT_STEP);
          } else {
            a = subgroupMatrixLoad<Left, col_major>(halves, leftSlab + j * 16u * LEFT_STEP + m, LEFT_STEP);
          }
          // unroll
          for (var q = 0u; q < COLUMN_MATRICES; q++) {
            let s = p * COLUMN_MATRICES + q;
            sums[s] = subgroupMatrixMultiplyAccumulate(a, b[q], sums[s]);
          }
        }
      }
    }
    if (k >= end) { break; }
    if (SLABS == 1u) { workgroupBarrier(); }
    // unroll
    for (var b = 0u; b < LEFT_BLOCKS; b++) {
      let i = lane + b * INVOCATIONS;
      let j = select(i / LEFT_LINES, i % DEPTH4, LEFT_ALONG_K);
      let line = select(i % LEFT_LINES, i / DEPTH4, LEFT_ALONG_K);
      let rows = turned(leftBlocks[b], LEFT_ALONG_K);
      let at = (slab % SLABS * SLAB + select(j * 4u * LEFT_STEP + line * 4u, line * 4u * LEFT_STEP + j * 4u, LEFT_ALONG_K)) / 4u;
      if (i < LEFT_LINES * DEPTH4) {
        quads[at] = rows[0];
        quads[at + LEFT_STEP / 4u] = rows[1];
        quads[at + LEFT_STEP / 2u] = rows[2];
        quads[at + LEFT_STEP / 4u * 3u] = rows[3];
      }
    }
    // unroll
    for (var b = 0u; b < RIGHT_BLOCKS; b++) {
      let i = lane + b * INVOCATIONS;
      let j = select(i / RIGHT_LINES, i % DEPTH4, RIGHT_ALONG_K);
      let line = select(i % RIGHT_LINES, i / DEPTH4, RIGHT_ALONG_K);
      let rows = turned(rightBlocks[b], RIGHT_ALONG_K);
      let at = (slab % SLABS * SLAB + LEFT_SIZE +
        select(j * 4u * RIGHT_STEP + line * 4u, line * 4u * RIGHT_STEP + j * 4u, RIGHT_ALONG_K)) / 4u;
      if (i < RIGHT_LINES * DEPTH4) {
        quads[at] = rows[0];
        quads[at + RIGHT_STEP / 4u] = rows[1];
        quads[at + RIGHT_STEP / 2u] = rows[2];
        quads[at + RIGHT_STEP / 4u * 3u] = rows[3];
      }
    }
    workgroupBarrier();
    slab = (slab + 1u) % SLABS;
  }
  // A subgroup's results pass through workgroup memory, a row of matrices at a time.
  let floats = bufferView<array<f32>>(&memory, 0);
  let vectors = bufferView<array<vec4f>>(&memory, 0);
  let own = subgroup * 16u * BAND;
  // unroll
  for (var p = 0u; p < ROW_MATRICES; p++) {
    workgroupBarrier();
    // unroll
    for (var q = 0u; q < COLUMN_MATRICES; q++) {
      subgroupMatrixStore<row_major>(floats, own + q * 16u, sums[p * COLUMN_MATRICES + q], BAND);
    }
    workgroupBarrier();
    for (var i = lane % 32u; i < 4u * BAND; i += 32u) {
      let place = resultRow(batch, m0 * 4u + row + p * 16u + i / (BAND / 4u));
      let n = n0 + column / 4u + i % (BAND / 4u);
      if (place != NO_ROW && n < N4) {
        let at = (split * SPLIT_ROWS + place) * N4 + n;
        result[at] = epilogue(at, vectors[own / 4u + i]);
      }
    }
  }
}

fn turned(block: mat4x4<f16>, rows: bool) -> mat4x4<f16> {
  if (rows) { return transpose(block); }
  return block;
}
