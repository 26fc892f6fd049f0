// y[r, f] = Σ x[n, f] over the n with min(indices[n], ROWS − 1) = r, in their order: one invocation a destination.
override N: u32 = 1u;
override ROWS: u32 = 1u;
override F: u32 = 1u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn epilogue(at: u32, value: f32) -> f32 { return value; }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= ROWS * F) { return; }
  let row = index / F;
  var total = 0.0;
  for (var n = 0u; n < N; n++) {
    if (min(indices[n], ROWS - 1u) == row) { total += x[n * F + index % F]; }
  }
  y[index] = epilogue(index, total);
}
