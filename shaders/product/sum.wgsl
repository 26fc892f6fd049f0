// result[m, n] = Σ_split partials[split, m, n] as in sum4.wgsl, for rows of N numbers that stand 4 · N4 apart in the partial sums.
override SIZE: u32 = 1u; // M · N
override N: u32 = 1u;
override N4: u32 = 1u;
override SPLITS: u32 = 1u;
override WIDTH: u32 = 32u;
override LANES: u32 = 2u;
override EACH: u32 = 1u; // splits of an invocation
override STEP: u32 = SIZE / N * N4 * 4u;

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

var<workgroup> sums: array<f32, WIDTH * LANES>;

fn epilogue(at: u32, value: f32) -> f32 { return value; }

@compute @workgroup_size(WIDTH, LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * WIDTH + lane % WIDTH;
  var total = 0.0;
  if (at < SIZE) {
    let place = at / N * N4 * 4u + at % N;
    // unroll
    for (var i = 0u; i < EACH; i++) {
      let split = i * LANES + lane / WIDTH;
      if (EACH * LANES == SPLITS || split < SPLITS) { total += partials[split * STEP + place]; }
    }
  }
  sums[lane] = total;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half * WIDTH) { sums[lane] += sums[lane + half * WIDTH]; }
  }
  if (lane < WIDTH && at < SIZE) { result[at] = epilogue(at, sums[lane]); }
}
