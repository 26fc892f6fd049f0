// y[o, s, i] = SCALE · fold of x[o, r, i] over the rows r of chunk s, in their order; one invocation a result.
override OUTER: u32 = 1u;
override ROWS: u32 = 1u;
override INNER: u32 = 1u;
override CHUNKS: u32 = 1u;
override CHUNK: u32 = 1u;
override OFFSET: u32 = 0u;
override SCALE: f32 = 1.0;
override MAXIMUM: bool = false;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn input0(at: u32) -> f32 { return x[at]; }
fn epilogue(at: u32, value: f32) -> f32 { return value; }

fn combine(a: f32, b: f32) -> f32 {
  if (MAXIMUM) { return max(a, b); }
  return a + b;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= OUTER * CHUNKS * INNER) { return; }
  let first = (index / INNER) % CHUNKS * CHUNK;
  let end = min(first + CHUNK, ROWS);
  let base = OFFSET + index / (INNER * CHUNKS) * ROWS * INNER + index % INNER;
  var total = input0(base + first * INNER);
  for (var r = first + 1u; r < end; r++) { total = combine(total, input0(base + r * INNER)); }
  y[index] = epilogue(index, SCALE * total);
}
