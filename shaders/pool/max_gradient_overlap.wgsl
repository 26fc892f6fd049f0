// dx for any stride: one invocation an element of dx. Of every window over it, it takes dy if it is the first maximum:
// no element before it is as large, none after it larger.
override N: u32 = 1u;
override H: u32 = 2u;
override W: u32 = 2u;
override C: u32 = 1u;
override OH: u32 = 1u;
override OW: u32 = 1u;
override KERNEL: u32 = 2u;
override STRIDE: u32 = 2u;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

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
  let own = x[index];
  var total = 0.0;
  for (var oy = select(0u, (iy + STRIDE - KERNEL) / STRIDE, iy >= KERNEL); oy < OH && oy * STRIDE <= iy; oy++) {
    for (var ox = select(0u, (ix + STRIDE - KERNEL) / STRIDE, ix >= KERNEL); ox < OW && ox * STRIDE <= ix; ox++) {
      var slope = dy[((n * OH + oy) * OW + ox) * C + c];
      for (var y = oy * STRIDE; y < oy * STRIDE + KERNEL; y++) {
        for (var at = ox * STRIDE; at < ox * STRIDE + KERNEL; at++) {
          let other = x[((n * H + y) * W + at) * C + c];
          let before = y < iy || (y == iy && at < ix);
          if (before) { slope = select(slope, 0.0, other >= own); }
          else { slope = select(slope, 0.0, other > own); }
        }
      }
      total += slope;
    }
  }
  dx[index] = epilogue(index, total);
}
