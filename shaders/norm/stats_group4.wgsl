// stats4.wgsl with a workgroup a group. A lane takes BATCH vec4s at a time, in two passes over registers; batches, lanes and
// the four columns are merged (Chan, Golub & LeVeque 1983). WHOLE: lanes have whole batches.
override N: u32 = 1u;
override P: u32 = 1u;
override GROUPS: u32 = 1u;
override CHANNELS: u32 = 1u; // vec4s of one group
override LANES: u32 = 256u;
override STEPS: u32 = 8u; // LANES = 2^STEPS
override WHOLE: bool = false;
override SIZE: u32 = P * CHANNELS;
const BATCH: u32 = 8u;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> stats: array<f32>;

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

// Moments of the vec4s start, start + LANES, … of a group.
fn batch(base: u32, start: u32) -> Moments {
  let count = f32(min(BATCH, (SIZE - start + LANES - 1u) / LANES));
  var v: array<vec4f, BATCH>;
  var total = vec4f();
  // unroll
  for (var j = 0u; j < BATCH; j++) {
    let e = select(min(start + j * LANES, SIZE - 1u), start + j * LANES, WHOLE);
    v[j] = x[base + e / CHANNELS * GROUPS * CHANNELS + e % CHANNELS];
  }
  // unroll
  for (var j = 0u; j < BATCH; j++) {
    total += select(vec4f(), v[j], WHOLE || start + j * LANES < SIZE);
  }
  let mean = total / count;
  var spread = vec4f();
  // unroll
  for (var j = 0u; j < BATCH; j++) {
    let d = v[j] - mean;
    spread += select(vec4f(), d * d, WHOLE || start + j * LANES < SIZE);
  }
  return Moments(mean, spread, count);
}

fn epilogue(at: u32, value: f32) -> f32 { return value; }

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.y * groups.x + group.x;
  if (index >= N * GROUPS) { return; }
  let base = index / GROUPS * P * GROUPS * CHANNELS + index % GROUPS * CHANNELS;
  var total = Moments(vec4f(), vec4f(), 0.0);
  for (var start = lane; start < SIZE; start += BATCH * LANES) { total = merged(total, batch(base, start)); }
  means[lane] = total.mean;
  spreads[lane] = total.spread;
  counts[lane] = total.count;
  // unroll
  for (var step = 0u; step < STEPS; step++) {
    let half = LANES >> (step + 1u);
    workgroupBarrier();
    if (lane < half) {
      let other = lane + half;
      total = merged(total, Moments(means[other], spreads[other], counts[other]));
      means[lane] = total.mean;
      spreads[lane] = total.spread;
      counts[lane] = total.count;
    }
  }
  if (lane == 0u) {
    let mean = dot(total.mean, vec4f(0.25));
    let d = total.mean - mean;
    stats[index] = epilogue(index, mean);
    stats[N * GROUPS + index] = epilogue(N * GROUPS + index, dot(total.spread / f32(SIZE) + d * d, vec4f(0.25)));
  }
}
