// group.wgsl with four columns a lane: INNER, OFFSET and WIDTH count vec4s. FOLD: the four columns are one, cut in four.
override OUTER: u32 = 1u;
override ROWS: u32 = 1u;
override INNER: u32 = 1u;
override PITCH: u32 = INNER; // of the result, which is 0 beyond INNER
override CHUNKS: u32 = 1u;
override CHUNK: u32 = 1u;
override OFFSET: u32 = 0u;
override SCALE: f32 = 1.0;
override MAXIMUM: bool = false;
override FOLD: bool = false;
override LANES: u32 = 256u;
override WIDTH: u32 = 1u;
override STEPS: u32 = 8u; // LANES / WIDTH = 2^STEPS
override HEIGHT: u32 = LANES / WIDTH;
override WHOLE: bool = false; // no chunk ends within a batch
const BATCH: u32 = 8u;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn input0(at: u32) -> vec4f { return x[at]; }
fn epilogue(at: u32, value: f32) -> f32 { return value; }

var<workgroup> partial: array<vec4f, LANES>;

fn combine(a: vec4f, b: vec4f) -> vec4f {
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
  var total = vec4f(0.0);
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
  if (tile % blocks == 0u && lane < 4u * (PITCH - INNER)) {
    let beyond = 4u * (slot * PITCH + INNER) + lane;
    y[beyond] = epilogue(beyond, 0.0);
  }
  if (row != 0u || column >= INNER) { return; }
  let at = slot * PITCH + column;
  if (FOLD) {
    let pair = combine(total, total.zwzw);
    y[at] = epilogue(at, SCALE * combine(pair, pair.yyyy).x);
  } else {
    let result = SCALE * total;
    y[4u * at] = epilogue(4u * at, result.x);
    y[4u * at + 1u] = epilogue(4u * at + 1u, result.y);
    y[4u * at + 2u] = epilogue(4u * at + 2u, result.z);
    y[4u * at + 3u] = epilogue(4u * at + 3u, result.w);
  }
}
