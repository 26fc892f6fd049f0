// moments4.wgsl with workgroups of WIDTH channels (vec4s) by LANES / WIDTH rows. A lane takes BATCH rows at a time, in two
// passes over registers; batches, then lanes, are merged (Chan, Golub & LeVeque 1983). WHOLE: no chunk ends within a batch.
// FINAL: there is one chunk, and moments[1, n, c] is its variance.
override N: u32 = 1u;
override P: u32 = 1u;
override C: u32 = 1u; // vec4s
override CHUNKS: u32 = 1u;
override CHUNK: u32 = 1u;
override LANES: u32 = 256u;
override WIDTH: u32 = 1u;
override STEPS: u32 = 8u; // LANES / WIDTH = 2^STEPS
override HEIGHT: u32 = LANES / WIDTH;
override WHOLE: bool = false;
override FINAL: bool = false;
const BATCH: u32 = 8u;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> moments: array<vec4f>;

struct Moments { mean: vec4f, spread: vec4f, count: f32 }

var<workgroup> means: array<vec4f, LANES>;
var<workgroup> spreads: array<vec4f, LANES>;
var<workgroup> counts: array<f32, LANES>;

fn merged(a: Moments, b: Moments) -> Moments {
  let count = a.count + b.count;
  let share = b.count / max(count, 1.0);
  let d = b.mean - a.mean;
  return Moments(a.mean + share * d, a.spread + b.spread + a.count * share * d * d, count);
}

// Moments of the rows start, start + HEIGHT, … before end, of which there is at least one.
fn batch(base: u32, start: u32, end: u32) -> Moments {
  let count = f32(min(BATCH, (end - start + HEIGHT - 1u) / HEIGHT));
  var v: array<vec4f, BATCH>;
  var total = vec4f();
  // unroll
  for (var j = 0u; j < BATCH; j++) {
    let p = start + j * HEIGHT;
    v[j] = x[base + select(min(p, end - 1u), p, WHOLE) * C];
  }
  // unroll
  for (var j = 0u; j < BATCH; j++) {
    total += select(vec4f(), v[j], WHOLE || start + j * HEIGHT < end);
  }
  let mean = total / count;
  var spread = vec4f();
  // unroll
  for (var j = 0u; j < BATCH; j++) {
    let d = v[j] - mean;
    spread += select(vec4f(), d * d, WHOLE || start + j * HEIGHT < end);
  }
  return Moments(mean, spread, count);
}

fn epilogue(at: u32, value: vec4f) -> vec4f { return value; }

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = group.y * groups.x + group.x;
  let blocks = (C + WIDTH - 1u) / WIDTH;
  if (tile >= N * CHUNKS * blocks) { return; }
  let slot = tile / blocks; // n · CHUNKS + s
  let channel = tile % blocks * WIDTH + lane % WIDTH;
  let row = lane / WIDTH;
  let first = slot % CHUNKS * CHUNK;
  let end = min(first + CHUNK, P);
  let base = slot / CHUNKS * P * C + min(channel, C - 1u);
  var total = Moments(vec4f(), vec4f(), 0.0);
  for (var start = first + row; start < end; start += BATCH * HEIGHT) {
    total = merged(total, batch(base, start, end));
  }
  means[lane] = total.mean;
  spreads[lane] = total.spread;
  counts[lane] = total.count;
  // unroll
  for (var step = 0u; step < STEPS; step++) {
    let half = HEIGHT >> (step + 1u);
    workgroupBarrier();
    if (row < half) {
      let other = lane + half * WIDTH;
      total = merged(total, Moments(means[other], spreads[other], counts[other]));
      means[lane] = total.mean;
      spreads[lane] = total.spread;
      counts[lane] = total.count;
    }
  }
  if (row == 0u && channel < C) {
    let i = slot * C + channel;
    moments[i] = epilogue(i, total.mean);
    moments[N * CHUNKS * C + i] = epilogue(N * CHUNKS * C + i, total.spread / select(1.0, f32(P), FINAL));
  }
}
