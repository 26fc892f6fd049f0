// y[i] = Σ_chunk partials[chunk, i], in the order of chunks.
override SIZE: u32 = 1u;
override CHUNKS: u32 = 1u;

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn epilogue(at: u32, value: f32) -> f32 { return value; }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= SIZE) { return; }
  var total = 0.0;
  for (var chunk = 0u; chunk < CHUNKS; chunk++) { total += partials[chunk * SIZE + index]; }
  y[index] = epilogue(index, total);
}
