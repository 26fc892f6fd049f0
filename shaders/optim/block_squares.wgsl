// squares[b] = Σ g² over block b of 64 gradients; 0 for a block that belongs to no parameter.
override BLOCKS: u32 = 1u;

@group(0) @binding(0) var<storage, read> blocks: array<u32>;
@group(0) @binding(1) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> squares: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) extent: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let b = (group.y * extent.x + group.x) * 64u + lane;
  if (b >= BLOCKS) { return; }
  var total = 0.0;
  if (blocks[b] != 0xffffffffu) {
    for (var k = 0u; k < 16u; k++) {
      let g = gradients[b * 16u + k];
      total += dot(g, g);
    }
  }
  squares[b] = total;
}
