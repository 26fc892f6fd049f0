// y[o, s, i] = SCALE · fold of x[o, r, i] over the rows r of chunk s. A workgroup takes WIDTH columns and LANES / WIDTH
// rows at a time (both powers of two), then folds its rows pairwise in workgroup memory.
override OUTER: u32 = 1u;
override ROWS: u32 = 1u;
override INNER: u32 = 1u;
override CHUNKS: u32 = 1u;
override CHUNK: u32 = 1u;
override OFFSET: u32 = 0u;
override SCALE: f32 = 1.0;
override MAXIMUM: bool = false;
override LANES: u32 = 256u;
override WIDTH: u32 = 1u;
override STEPS: u32 = 8u; // LANES / WIDTH = 2^STEPS
override HEIGHT: u32 = LANES / WIDTH;
override WHOLE: bool = false; // no chunk ends within a batch
const BATCH: u32 = 8u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn input0(at: u32) -> f32 { return x[at]; }
fn epilogue(at: u32, value: f32) -> f32 { return value; }

var<workgroup> partial: array<f32, LANES>;

fn combine(a: f32, b: f32) -> f32 {
  if (MAXIMUM) { return max(a, b); }
  return a + b;
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = group.y * groups.x + group.x;
  let blocks = (INNER + WIDTH - 1u) / WIDTH;
  if (tile >= OUTER * CHUNKS * blocks) { return; }
  let slot = tile / blocks; // o · CHUNKS + s
  let column = tile % blocks * WIDTH + lane % WIDTH;
  let row = lane / WIDTH;
  let first = slot % CHUNKS * CHUNK;
  let end = min(first + CHUNK, ROWS);
  let base = OFFSET + slot / CHUNKS * ROWS * INNER + min(column, INNER - 1u);
  // A lane may find no row: it adds 0 to a sum, and repeats the chunk's first row for a maximum.
  var total = 0.0;
  if (MAXIMUM) { total = input0(base + first * INNER); }
  for (var start = first + row; start < end; start += BATCH * HEIGHT) {
    // unroll
    for (var j = 0u; j < BATCH; j++) {
      let r = start + j * HEIGHT;
      let value = input0(base + select(min(r, end - 1u), r, WHOLE) * INNER);
      total = select(total, combine(total, value), WHOLE || r < end);
    }
  }
  partial[lane] = total;
  // unroll
  for (var step = 0u; step < STEPS; step++) {
    let half = HEIGHT >> (step + 1u);
    workgroupBarrier();
    if (row < half) {
      total = combine(total, partial[lane + half * WIDTH]);
      partial[lane] = total;
    }
  }
  if (row == 0u && column < INNER) { y[slot * INNER + column] = epilogue(slot * INNER + column, SCALE * total); }
}
