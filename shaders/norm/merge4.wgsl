// combine.wgsl for groups of one channel, by vec4s of channels: a workgroup a vec4, whose lanes take PER chunks each.
override N: u32 = 1u;
override P: u32 = 1u;
override C: u32 = 1u; // vec4s
override CHUNKS: u32 = 1u;
override CHUNK: u32 = 1u;
override PER: u32 = 2u;
override LANES: u32 = 256u;
override STEPS: u32 = 8u; // LANES = 2^STEPS

@group(0) @binding(0) var<storage, read> moments: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> stats: array<vec4f>;

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

fn epilogue(at: u32, value: vec4f) -> vec4f { return value; }

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.y * groups.x + group.x;
  if (index >= N * C) { return; }
  let base = index / C * CHUNKS * C + index % C;
  var total = Moments(vec4f(), vec4f(), 0.0);
  // unroll
  for (var j = 0u; j < PER; j++) {
    let s = min(lane + j * LANES, CHUNKS - 1u);
    let rows = select(0.0, f32(min(CHUNK, P - s * CHUNK)), lane + j * LANES < CHUNKS);
    let i = base + s * C;
    let spread = select(vec4f(), moments[N * CHUNKS * C + i], rows > 0.0);
    total = merged(total, Moments(moments[i], spread, rows));
  }
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
    stats[index] = epilogue(index, total.mean);
    stats[N * C + index] = epilogue(N * C + index, total.spread / f32(P));
  }
}
