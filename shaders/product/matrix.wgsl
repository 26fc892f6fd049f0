// A matrix product by the matrix units of a GPU: operands are rounded to halves, sums are f32. A workgroup computes TILE_ROWS by
// TILE_COLUMNS results, a subgroup of it ROW_MATRICES by COLUMN_MATRICES matrices of 16 × 16. Operands come in octets, eight
// neighbours in memory, and lie in workgroup memory in the order of their own memory: a row is a row of the result (or a column
// of it, on the right) with octets along k, or a value of k with octets along the result.
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
// Whether tiles and slabs divide a size, so that no place of an operand needs a check.
override WHOLE_M: bool = false;
override WHOLE_N: bool = false;
override WHOLE_K: bool = false;
override LEFT_HALVES: bool = false; // whether an operand is stored as f16
override RIGHT_HALVES: bool = false;
override LEFT_ALONG_K: bool = true; // whether an octet's numbers differ in k
override RIGHT_ALONG_K: bool = false;
override LEFT_LOADS: u32 = 1u; // octets that an invocation loads a slab
override RIGHT_LOADS: u32 = 1u;
override SUMS: u32 = ROW_MATRICES * COLUMN_MATRICES;
override TILE_ROWS: u32 = SUBGROUP_ROWS * ROW_MATRICES * 16u;
override TILE_COLUMNS: u32 = SUBGROUP_COLUMNS * COLUMN_MATRICES * 16u;
override INVOCATIONS: u32 = 32u * SUBGROUP_ROWS * SUBGROUP_COLUMNS;
override LEFT_OCTETS: u32 = TILE_ROWS * DEPTH / 8u;
override RIGHT_OCTETS: u32 = TILE_COLUMNS * DEPTH / 8u;
override LEFT_WIDTH: u32 = select(TILE_ROWS, DEPTH, LEFT_ALONG_K); // of a row in workgroup memory
override RIGHT_WIDTH: u32 = select(TILE_COLUMNS, DEPTH, RIGHT_ALONG_K);
// Distances in halves from one row to the next; 8 more than needed keep memory banks apart.
override LEFT_STEP: u32 = LEFT_WIDTH + 8u;
override RIGHT_STEP: u32 = RIGHT_WIDTH + 8u;
override LEFT_SIZE: u32 = select(DEPTH, TILE_ROWS, LEFT_ALONG_K) * LEFT_STEP;
override RIGHT_SIZE: u32 = select(DEPTH, TILE_COLUMNS, RIGHT_ALONG_K) * RIGHT_STEP;
override SLAB: u32 = LEFT_SIZE + RIGHT_SIZE;
// What a subgroup reads of a slab, from the first of its halves to the last.
override LEFT_SPAN: u32 = select((DEPTH - 1u) * LEFT_STEP + 16u * ROW_MATRICES, (16u * ROW_MATRICES - 1u) * LEFT_STEP + DEPTH, LEFT_ALONG_K);
override RIGHT_SPAN: u32 =
  select((DEPTH - 1u) * RIGHT_STEP + 16u * COLUMN_MATRICES, (16u * COLUMN_MATRICES - 1u) * RIGHT_STEP + DEPTH, RIGHT_ALONG_K);
// Steps of the two ways to load; the one that is not taken must be valid, too.
override LEFT_K_STEP: u32 = select(16u, LEFT_STEP, LEFT_ALONG_K);
override LEFT_M_STEP: u32 = select(LEFT_STEP, 16u, LEFT_ALONG_K);
override RIGHT_K_STEP: u32 = select(16u, RIGHT_STEP, RIGHT_ALONG_K);
override RIGHT_N_STEP: u32 = select(RIGHT_STEP, 16u, RIGHT_ALONG_K);
override BAND: u32 = 16u * COLUMN_MATRICES; // columns of a subgroup
override BYTES: u32 = max(2u * SLABS * SLAB, 64u * BAND * SUBGROUP_ROWS * SUBGROUP_COLUMNS);

override VECTORS: u32 = BYTES / 16u;
override FLOATS: u32 = BYTES / 4u;

// Places that an operand has instead of one in its memory: eight zeros, or a one and seven zeros.
const ZEROS = 0xffffffffu;
const ONE = 0xfffffffeu;
override LEFT_ONE: u32 = select(0x3f800000u, 0x3c00u, LEFT_HALVES);

// Sixteen bytes as they lie: eight halves, or four floats.
alias Raw = vec4u;
@group(0) @binding(0) var<storage, read> left: array<Raw>;
@group(0) @binding(1) var<storage, read> right: array<Raw>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

var<workgroup> memory: buffer<BYTES>;

// Loads at constant places of a view of constant size need no check of their own.
struct LeftSpan { @align(16) halves: array<f16, LEFT_SPAN> }
struct RightSpan { @align(16) halves: array<f16, RIGHT_SPAN> }

alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;

fn epilogue(at: u32, value: vec4f) -> vec4f { return value; }

fn rounded(low: vec4u, high: vec4u) -> vec4u {
  let a = bitcast<vec4f>(low);
  let b = bitcast<vec4f>(high);
  return vec4u(pack2x16float(a.xy), pack2x16float(a.zw), pack2x16float(b.xy), pack2x16float(b.zw));
}

// The octet at a place, or its first half where it is stored as floats, which are rounded when they have arrived.
fn left8(at: u32) -> vec4u {
  if (at >= ONE) { return vec4u(select(0u, LEFT_ONE, at == ONE), 0u, 0u, 0u); }
  return left[select(2u, 1u, LEFT_HALVES) * at];
}

fn leftSecond(at: u32) -> vec4u {
  if (at >= ONE) { return vec4u(); }
  return left[2u * at + 1u];
}

fn right8(at: u32) -> vec4u {
  if (at == ZEROS) { return vec4u(); }
  return right[select(2u, 1u, RIGHT_HALVES) * at];
}

fn rightSecond(at: u32) -> vec4u {
  if (at == ZEROS) { return vec4u(); }
  return right[2u * at + 1u];
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32,
        @builtin(subgroup_id) subgroup: u32) {
  let octets = bufferView<array<vec4u, VECTORS>>(&memory, 0);
  let row = subgroup / SUBGROUP_COLUMNS * ROW_MATRICES * 16u;
  let column = subgroup % SUBGROUP_COLUMNS * BAND;
  let batch = group.z / SPLITS;
  let split = group.z % SPLITS;
  let m0 = group.y * TILE_ROWS;
  let n0 = group.x * TILE_COLUMNS;
  let first = split * CHUNK4 * 4u;
  let end = min(first + CHUNK4 * 4u, K4 * 4u);
  var sums: array<Sum, SUMS>;
  var lefts: array<vec4u, LEFT_LOADS>;
  var leftSeconds: array<vec4u, LEFT_LOADS>;
  var rights: array<vec4u, RIGHT_LOADS>;
  var rightSeconds: array<vec4u, RIGHT_LOADS>;
  var slab = 0u;
  for (var k = first; ; k += DEPTH) {
    if (k < end) {
      // unroll
      for (var b = 0u; b < LEFT_LOADS; b++) {
        let i = lane + b * INVOCATIONS;
        let line = i / (LEFT_WIDTH / 8u) + select(k, m0, LEFT_ALONG_K);
        let octet = i % (LEFT_WIDTH / 8u) + select(m0, k, LEFT_ALONG_K) / 8u;
        if (LEFT_OCTETS % INVOCATIONS == 0u || i < LEFT_OCTETS) {
          let at = leftOctet(batch, line, octet);
          lefts[b] = left8(at);
          if (!LEFT_HALVES) { leftSeconds[b] = leftSecond(at); }
        }
      }
      // unroll
      for (var b = 0u; b < RIGHT_LOADS; b++) {
        let i = lane + b * INVOCATIONS;
        let line = i / (RIGHT_WIDTH / 8u) + select(k, n0, RIGHT_ALONG_K);
        let octet = i % (RIGHT_WIDTH / 8u) + select(n0, k, RIGHT_ALONG_K) / 8u;
        if (RIGHT_OCTETS % INVOCATIONS == 0u || i < RIGHT_OCTETS) {
          let at = rightOctet(batch, line, octet);
          rights[b] = right8(at);
          if (!RIGHT_HALVES) { rightSeconds[b] = rightSecond(at); }
        }
      }
    }
    if (k > first) {
      let ready = (slab + 1u) % SLABS * SLAB;
      let a = bufferView<LeftSpan>(&memory, 2u * (ready + row * select(1u, LEFT_STEP, LEFT_ALONG_K)));
      let b = bufferView<RightSpan>(&memory, 2u * (ready + LEFT_SIZE + column * select(1u, RIGHT_STEP, RIGHT_ALONG_K)));
      // unroll
      for (var j = 0u; j < DEPTH16; j++) {
        var columns: array<Right, COLUMN_MATRICES>;
        // unroll
        for (var q = 0u; q < COLUMN_MATRICES; q++) {
          if (RIGHT_ALONG_K) {
            columns[q] = subgroupMatrixLoad<Right, col_major>(&b.halves, q * 16u * RIGHT_K_STEP + j * 16u, RIGHT_K_STEP);
          } else {
            columns[q] = subgroupMatrixLoad<Right, row_major>(&b.halves, j * 16u * RIGHT_N_STEP + q * 16u, RIGHT_N_STEP);
          }
        }
        // unroll
        for (var p = 0u; p < ROW_MATRICES; p++) {
          var rows: Left;
          if (LEFT_ALONG_K) {
            rows = subgroupMatrixLoad<Left, row_major>(&a.halves, p * 16u * LEFT_K_STEP + j * 16u, LEFT_K_STEP);
          } else {
            rows = subgroupMatrixLoad<Left, col_major>(&a.halves, j * 16u * LEFT_M_STEP + p * 16u, LEFT_M_STEP);
          }
          // unroll
          for (var q = 0u; q < COLUMN_MATRICES; q++) {
            let s = p * COLUMN_MATRICES + q;
            sums[s] = subgroupMatrixMultiplyAccumulate(rows, columns[q], sums[s]);
          }
        }
      }
    }
    if (k >= end) { break; }
    if (SLABS == 1u) { workgroupBarrier(); }
    // `% SLABS` tells a compiler that checks bounds what is never exceeded.
    let filled = slab % SLABS * SLAB;
    // unroll
    for (var b = 0u; b < LEFT_LOADS; b++) {
      let i = lane + b * INVOCATIONS;
      let at = (filled + i / (LEFT_WIDTH / 8u) * LEFT_STEP) / 8u + i % (LEFT_WIDTH / 8u);
      if (LEFT_OCTETS % INVOCATIONS == 0u || i < LEFT_OCTETS) {
        if (LEFT_HALVES) { octets[at] = lefts[b]; } else { octets[at] = rounded(lefts[b], leftSeconds[b]); }
      }
    }
    // unroll
    for (var b = 0u; b < RIGHT_LOADS; b++) {
      let i = lane + b * INVOCATIONS;
      let at = (filled + LEFT_SIZE + i / (RIGHT_WIDTH / 8u) * RIGHT_STEP) / 8u + i % (RIGHT_WIDTH / 8u);
      if (RIGHT_OCTETS % INVOCATIONS == 0u || i < RIGHT_OCTETS) {
        if (RIGHT_HALVES) { octets[at] = rights[b]; } else { octets[at] = rounded(rights[b], rightSeconds[b]); }
      }
    }
    workgroupBarrier();
    slab = (slab + 1u) % SLABS;
  }
  // A subgroup's results pass through workgroup memory, a row of matrices at a time.
  let floats = bufferView<array<f32, FLOATS>>(&memory, 0);
  let vectors = bufferView<array<vec4f, VECTORS>>(&memory, 0);
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
      let place = resultRow(batch, m0 + row + p * 16u + i / (BAND / 4u));
      let n = (n0 + column) / 4u + i % (BAND / 4u);
      if (place != NO_ROW && (WHOLE_N || n < N4)) {
        let at = (split * SPLIT_ROWS + place) * N4 + n;
        result[at] = epilogue(at, vectors[own / 4u + i]);
      }
    }
  }
}
