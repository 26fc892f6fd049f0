// y[i] = x[i], four vectors an invocation, without a loop or a branch.
//
// Bindings: x[4 · threads]; y alike.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 1024u + lane;
  y[i] = x[i];
  y[i + 256u] = x[i + 256u];
  y[i + 512u] = x[i + 512u];
  y[i + 768u] = x[i + 768u];
}
