// dx where windows do not overlap (STRIDE ≥ KERNEL): one invocation writes a STRIDE × STRIDE tile of dx. The first maximum
// of the tile's window takes dy, everything else 0; tiles at the far edges may be cut short or have no window.
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
  let rows = (H + STRIDE - 1u) / STRIDE;
  let columns = (W + STRIDE - 1u) / STRIDE;
  if (index >= N * rows * columns * C) { return; }
  let c = index % C;
  let tx = index / C % columns;
  let ty = index / (C * columns) % rows;
  let n = index / (C * columns * rows);
  let corner = ((n * H + ty * STRIDE) * W + tx * STRIDE) * C + c;
  let hasWindow = ty < OH && tx < OW;
  var best = x[corner];
  var slope = 0.0;
  if (hasWindow) {
    slope = dy[((n * OH + ty) * OW + tx) * C + c];
    for (var ky = 0u; ky < KERNEL; ky++) {
      // unroll
      for (var kx = 0u; kx < KERNEL; kx++) {
        best = max(best, x[corner + (ky * W + kx) * C]);
      }
    }
  }
  for (var ky = 0u; ky < min(STRIDE, H - ty * STRIDE); ky++) {
    // unroll
    for (var kx = 0u; kx < STRIDE; kx++) {
      if (W % STRIDE == 0u || tx * STRIDE + kx < W) {
        let i = corner + (ky * W + kx) * C;
        var result = 0.0;
        if (hasWindow && ky < KERNEL && kx < KERNEL) {
          let isMaximum = x[i] == best;
          result = select(0.0, slope, isMaximum);
          slope = select(slope, 0.0, isMaximum); // given away
        }
        dx[i] = epilogue(i, result);
      }
    }
  }
}
