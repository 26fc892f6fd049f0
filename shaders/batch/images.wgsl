// y[n, i, j, c] = byte · SCALE_c + SHIFT_c of pixel [i, j, c] of image indices[n], bytes packed four to a word. Where asked,
// all images are moved by DOWN and RIGHT pixels, mirrored at their edges, and then mirrored left to right.
override N: u32 = 1u;
override H: u32 = 1u;
override W: u32 = 1u;
override C: u32 = 1u; // at most 4
override DOWN: i32 = 0;
override RIGHT: i32 = 0;
override MIRRORED: bool = false;
override SCALE_0: f32 = 1.0;
override SCALE_1: f32 = 1.0;
override SCALE_2: f32 = 1.0;
override SCALE_3: f32 = 1.0;
override SHIFT_0: f32 = 0.0;
override SHIFT_1: f32 = 0.0;
override SHIFT_2: f32 = 0.0;
override SHIFT_3: f32 = 0.0;

@group(0) @binding(0) var<storage, read> images: array<u32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

// Place `at` of a row of pixels that goes on, mirrored, beyond its first and its last.
fn reflected(at: i32, size: u32) -> u32 {
  let last = i32(size) - 1;
  return u32(last - abs(last - abs(at)));
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= N * H * W) { return; }
  let scale = vec4f(SCALE_0, SCALE_1, SCALE_2, SCALE_3);
  let shift = vec4f(SHIFT_0, SHIFT_1, SHIFT_2, SHIFT_3);
  let i = reflected(i32(index / W % H) + DOWN, H);
  let j = reflected(i32(select(index % W, W - 1u - index % W, MIRRORED)) + RIGHT, W);
  let pixel = (indices[index / (H * W)] * H + i) * W + j;
  for (var c = 0u; c < C; c++) {
    let at = pixel * C + c;
    let byte = (images[at / 4u] >> (at % 4u * 8u)) & 255u;
    y[index * C + c] = f32(byte) * scale[c] + shift[c];
  }
}
