// result[i] = Σ_split partials[split, i], in a fixed order: LANES invocations add every LANES-th split each.
override SIZE: u32 = 1u;
override SPLITS: u32 = 1u;
override WIDTH: u32 = 32u;
override LANES: u32 = 2u;
override EACH: u32 = 1u; // splits of an invocation

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;

var<workgroup> sums: array<vec4f, WIDTH * LANES>;

fn epilogue(at: u32, value: vec4f) -> vec4f { return value; }

@compute @workgroup_size(WIDTH, LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * WIDTH + lane % WIDTH;
  var total = vec4f();
  if (at < SIZE) {
    // unroll
    for (var i = 0u; i < EACH; i++) {
      let split = i * LANES + lane / WIDTH;
      if (EACH * LANES == SPLITS || split < SPLITS) { total += partials[split * SIZE + at]; }
    }
  }
  sums[lane] = total;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half * WIDTH) { sums[lane] += sums[lane + half * WIDTH]; }
  }
  if (lane < WIDTH && at < SIZE) { result[at] = epilogue(at, sums[lane]); }
}
