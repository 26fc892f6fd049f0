// A matrix product of M rows by 4 · N4 columns. The operands' file says what is multiplied: `leftBlock` and `rightBlock` give 4 × 4
// values and `resultRow` says where a row of results goes. A workgroup computes a tile of 4 · LEFT_LINES by 4 · RIGHT_LINES results
// from slabs of DEPTH values of k in workgroup memory; an invocation keeps 4 · ROW_QUADS by 4 · COLUMN_QUADS of them in registers.
// While a slab is multiplied, the next one is on its way from memory.
override M: u32 = 4u;
override N4: u32 = 1u;
override K4: u32 = 1u;
override CHUNK4: u32 = 4u; // values of k in vec4s that a split takes
override SPLITS: u32 = 1u;
override SPLIT_ROWS: u32 = 0u; // rows of results from one split to the next
override THREAD_ROWS: u32 = 8u;
override THREAD_COLUMNS: u32 = 8u;
override ROW_QUADS: u32 = 1u;
override COLUMN_QUADS: u32 = 1u;
override DEPTH: u32 = 16u;
override BLOCKS: u32 = 1u; // blocks of 4 × 4 that an invocation loads a slab
override SLABS: u32 = 1u; // in workgroup memory: 1, or 2 for one barrier a slab
// Whether tiles and slabs divide a size, so that no place of an operand needs a check.
override WHOLE_M: bool = false;
override WHOLE_N: bool = false;
override WHOLE_K: bool = false;
override SUMS: u32 = 4u * ROW_QUADS * COLUMN_QUADS;
override DEPTH4: u32 = DEPTH / 4u;
override LEFT_LINES: u32 = THREAD_ROWS * ROW_QUADS;
override RIGHT_LINES: u32 = THREAD_COLUMNS * COLUMN_QUADS;
// Every four rows of a slab start SKEW later, so that blocks are written without bank conflicts.
override SKEW: u32 = max(1u, 32u / DEPTH);
override LEFT_SLAB: u32 = DEPTH * LEFT_LINES + DEPTH4 * SKEW;
override RIGHT_SLAB: u32 = DEPTH * RIGHT_LINES + DEPTH4 * SKEW;

// results
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

fn epilogue(at: u32, value: vec4f) -> vec4f { return value; }

fn write(row: u32, n: u32, value: vec4f) {
  let at = row * N4 + n;
  result[at] = epilogue(at, value);
}
// end of results

var<workgroup> left: array<vec4f, SLABS * LEFT_SLAB>;
var<workgroup> right: array<vec4f, SLABS * RIGHT_SLAB>;

@compute @workgroup_size(THREAD_COLUMNS, THREAD_ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = lane / THREAD_COLUMNS;
  let column = lane % THREAD_COLUMNS;
  let batch = group.z / SPLITS;
  let split = group.z % SPLITS;
  let m0 = group.y * LEFT_LINES;
  let n0 = group.x * RIGHT_LINES;
  let first = split * CHUNK4;
  let end = min(first + CHUNK4, K4);
  var sums: array<vec4f, SUMS>;
  var blocks: array<mat4x4f, BLOCKS>;
  var slab = 0u;
  for (var k = first; ; k += DEPTH4) {
    if (k < end) {
      // unroll
      for (var b = 0u; b < BLOCKS; b++) {
        let line = (lane + b * THREAD_ROWS * THREAD_COLUMNS) / DEPTH4;
        let at = k + lane % DEPTH4;
        if (line < LEFT_LINES) {
          blocks[b] = leftBlock(batch, m0 + line, at);
        } else {
          blocks[b] = rightBlock(batch, at, n0 + line - LEFT_LINES);
        }
      }
    }
    if (k > first) {
      // `% SLABS` tells a compiler that checks bounds what is never exceeded.
      let leftAt = (slab + 1u) % SLABS * LEFT_SLAB + row;
      let rightAt = (slab + 1u) % SLABS * RIGHT_SLAB + column;
      // unroll
      for (var j = 0u; j < DEPTH; j++) {
        var b: array<vec4f, COLUMN_QUADS>;
        // unroll
        for (var q = 0u; q < COLUMN_QUADS; q++) {
          b[q] = right[rightAt + (j * RIGHT_LINES + j / 4u * SKEW + q * THREAD_COLUMNS)];
        }
        // unroll
        for (var p = 0u; p < ROW_QUADS; p++) {
          let a = left[leftAt + (j * LEFT_LINES + j / 4u * SKEW + p * THREAD_ROWS)];
          // unroll
          for (var q = 0u; q < COLUMN_QUADS; q++) {
            sums[(p * COLUMN_QUADS + q) * 4u] += a.x * b[q];
            sums[(p * COLUMN_QUADS + q) * 4u + 1u] += a.y * b[q];
            sums[(p * COLUMN_QUADS + q) * 4u + 2u] += a.z * b[q];
            sums[(p * COLUMN_QUADS + q) * 4u + 3u] += a.w * b[q];
          }
        }
      }
    }
    if (k >= end) { break; }
    if (SLABS == 1u) { workgroupBarrier(); }
    // unroll
    for (var b = 0u; b < BLOCKS; b++) {
      let line = (lane + b * THREAD_ROWS * THREAD_COLUMNS) / DEPTH4;
      let j = lane % DEPTH4;
      if (line < LEFT_LINES) {
        let at = slab % SLABS * LEFT_SLAB + j * (4u * LEFT_LINES + SKEW) + line;
        left[at] = blocks[b][0];
        left[at + LEFT_LINES] = blocks[b][1];
        left[at + 2u * LEFT_LINES] = blocks[b][2];
        left[at + 3u * LEFT_LINES] = blocks[b][3];
      } else if (line < LEFT_LINES + RIGHT_LINES) {
        let at = slab % SLABS * RIGHT_SLAB + j * (4u * RIGHT_LINES + SKEW) + (line - LEFT_LINES);
        right[at] = blocks[b][0];
        right[at + RIGHT_LINES] = blocks[b][1];
        right[at + 2u * RIGHT_LINES] = blocks[b][2];
        right[at + 3u * RIGHT_LINES] = blocks[b][3];
      }
    }
    workgroupBarrier();
    slab = (slab + 1u) % SLABS;
  }
  // unroll
  for (var p = 0u; p < ROW_QUADS; p++) {
    // unroll
    for (var i = 0u; i < 4u; i++) {
      let place = resultRow(batch, (m0 + row + p * THREAD_ROWS) * 4u + i);
      if (place != NO_ROW) {
        // unroll
        for (var q = 0u; q < COLUMN_QUADS; q++) {
          let n = n0 + column + q * THREAD_COLUMNS;
          if (WHOLE_N || n < N4) {
            write(split * SPLIT_ROWS + place, n, sums[(p * COLUMN_QUADS + q) * 4u + i]);
          }
        }
      }
    }
  }
}
