// dx[n, iy, ix, c] = Σ dy / KERNEL² over the windows that cover it; one invocation an element of dx.
override N: u32 = 1u;
override H: u32 = 2u;
override W: u32 = 2u;
override C: u32 = 1u;
override OH: u32 = 1u;
override OW: u32 = 1u;
override KERNEL: u32 = 2u;
override STRIDE: u32 = 2u;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;

fn epilogue(at: u32, value: f32) -> f32 { return value; }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= N * H * W * C) { return; }
  let c = index % C;
  let ix = index / C % W;
  let iy = index / (C * W) % H;
  let n = index / (C * W * H);
  var total = 0.0;
  for (var oy = select(0u, (iy + STRIDE - KERNEL) / STRIDE, iy >= KERNEL); oy < OH && oy * STRIDE <= iy; oy++) {
    for (var ox = select(0u, (ix + STRIDE - KERNEL) / STRIDE, ix >= KERNEL); ox < OW && ox * STRIDE <= ix; ox++) {
      // Where STRIDE > KERNEL, an element may lie between windows.
      if (iy < oy * STRIDE + KERNEL && ix < ox * STRIDE + KERNEL) { total += dy[((n * OH + oy) * OW + ox) * C + c]; }
    }
  }
  dx[index] = epilogue(index, total / f32(KERNEL * KERNEL));
}
