// serial.wgsl with four columns an invocation: INNER and OFFSET count vec4s. FOLD: the four columns are one, cut in four.
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

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn input0(at: u32) -> vec4f { return x[at]; }
fn epilogue(at: u32, value: f32) -> f32 { return value; }

fn combine(a: vec4f, b: vec4f) -> vec4f {
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
  if (FOLD) {
    let pair = combine(total, total.zwzw);
    y[index] = epilogue(index, SCALE * combine(pair, pair.yyyy).x);
  } else {
    let result = SCALE * total;
    let at = index / INNER * PITCH + index % INNER;
    y[4u * at] = epilogue(4u * at, result.x);
    y[4u * at + 1u] = epilogue(4u * at + 1u, result.y);
    y[4u * at + 2u] = epilogue(4u * at + 2u, result.z);
    y[4u * at + 3u] = epilogue(4u * at + 3u, result.w);
    for (var k = at + INNER; k < (index / INNER + 1u) * PITCH; k += INNER) {
      for (var j = 0u; j < 4u; j++) { y[4u * k + j] = epilogue(4u * k + j, 0.0); }
    }
  }
}
