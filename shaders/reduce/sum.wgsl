// y[o, i] = SCALE · Σ_r x[o, r, i]: one invocation a result, in the order of r.
override OUTER: u32 = 1u;
override REDUCED: u32 = 1u;
override INNER: u32 = 1u;
override SCALE: f32 = 1.0;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= OUTER * INNER) { return; }
  let base = (index / INNER) * REDUCED * INNER + index % INNER;
  var total = 0.0;
  for (var r = 0u; r < REDUCED; r++) { total += x[base + r * INNER]; }
  y[index] = SCALE * total;
}
