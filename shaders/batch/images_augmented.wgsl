// images.wgsl with words[n] = three random words: the image is moved by up to CROP pixels down and to the right (zeros
// come in after normalisation or, where REFLECT, the image mirrored at its edge) and mirrored where FLIP and the third word
// is odd. Where EPOCH is not 0, examples come in epochs of so many: an image is mirrored in every second one, and a hash of
// its index and the seed says in which. `key` is the seed and the step.
override N: u32 = 1u;
override H: u32 = 1u;
override W: u32 = 1u;
override C: u32 = 1u; // at most 4
override CROP: u32 = 0u;
override REFLECT: bool = false;
override FLIP: bool = false;
override EPOCH: u32 = 0u;
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
@group(0) @binding(2) var<storage, read> words: array<u32>;
@group(0) @binding(3) var<storage, read> key: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

fn reflected(at: u32, size: u32) -> u32 {
  let last = i32(size) - 1;
  return u32(last - abs(last - abs(i32(at))));
}

// PCG's output function (O'Neill 2014), as a hash.
fn hash(word: u32) -> u32 {
  let state = word * 747796405u + 2891336453u;
  let mixed = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (mixed >> 22u) ^ mixed;
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
  let n = index / (H * W);
  let span = 2u * CROP + 1u;
  // Outside the image, the difference wraps to a large number.
  var i = index / W % H + words[3u * n] % span - CROP;
  var j = index % W + words[3u * n + 1u] % span - CROP;
  if (REFLECT) {
    i = reflected(i, H);
    j = reflected(j, W);
  }
  if (FLIP && words[3u * n + 2u] % 2u == 1u) { j = W - 1u - j; }
  if (EPOCH > 0u) {
    let epoch = (key[1] * N + n) / max(EPOCH, 1u);
    if ((hash(indices[n] ^ hash(key[0])) + epoch) % 2u == 1u) { j = W - 1u - j; }
  }
  let inside = i < H && j < W;
  let pixel = (indices[n] * H + i) * W + j;
  for (var c = 0u; c < C; c++) {
    var value = 0.0;
    if (inside) {
      let at = pixel * C + c;
      let byte = (images[at / 4u] >> (at % 4u * 8u)) & 255u;
      value = f32(byte) * scale[c] + shift[c];
    }
    y[index * C + c] = value;
  }
}
