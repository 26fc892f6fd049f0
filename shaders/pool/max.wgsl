// y[n, oy, ox, c] = max of x[n, STRIDE·oy + ky, STRIDE·ox + kx, c] over the KERNEL × KERNEL window.
override N: u32 = 1u;
override H: u32 = 2u;
override W: u32 = 2u;
override C: u32 = 1u;
override OH: u32 = 1u;
override OW: u32 = 1u;
override KERNEL: u32 = 2u;
override STRIDE: u32 = 2u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn epilogue(at: u32, value: f32) -> f32 { return value; }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= N * OH * OW * C) { return; }
  let ox = index / C % OW;
  let oy = index / (C * OW) % OH;
  let corner = ((index / (C * OW * OH) * H + oy * STRIDE) * W + ox * STRIDE) * C + index % C;
  var best = x[corner];
  for (var ky = 0u; ky < KERNEL; ky++) {
    // unroll
    for (var kx = 0u; kx < KERNEL; kx++) {
      best = max(best, x[corner + (ky * W + kx) * C]);
    }
  }
  y[index] = epilogue(index, best);
}
