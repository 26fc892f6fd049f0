// AdamW (Loshchilov & Hutter 2019, alg. 2, as PyTorch): w -= lr·decay·w; w -= lr·(m/c1) / (sqrt(v/c2) + eps), where
// c1 = 1 − beta1^t and c2 = 1 − beta2^t come with the group's row. Blocks and groups as in sgd.wgsl.
override BETA1: f32 = 0.9;
override BETA2: f32 = 0.999;
// 1 − beta of the numbers as given: taken of the rounded 0.999, it would be wrong by 1.3e-5 of itself.
override GAIN1: f32 = 0.1;
override GAIN2: f32 = 0.001;
override EPSILON: f32 = 1e-8;
override COUNT4: u32 = 16u;

const FREE = 0xffffffffu;

struct Group { rate: f32, decay: f32, clip: f32, active_: f32, correction1: f32, correction2: f32, pad0: f32, pad1: f32 }

@group(0) @binding(0) var<storage, read> blocks: array<u32>;
@group(0) @binding(1) var<storage, read> groups: array<Group>;
@group(0) @binding(2) var<storage, read> norms: array<f32>;
@group(0) @binding(3) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> first: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> second: array<vec4f>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) extent: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * extent.x + group.x) * 64u + lane;
  if (i >= COUNT4) { return; }
  let block = blocks[i / 16u];
  if (block == FREE) { return; }
  let row = groups[block & 0xffffu];
  if (row.active_ == 0.0) { return; }
  let norm = norms[block & 0xffffu];
  let scale = select(1.0, min(1.0, row.clip / (norm + 1e-6)), row.clip > 0.0);
  let decay = select(0.0, row.decay, (block & 0x10000u) != 0u);
  let g = scale * gradients[i];
  let m = BETA1 * first[i] + GAIN1 * g;
  let v = BETA2 * second[i] + GAIN2 * g * g;
  first[i] = m;
  second[i] = v;
  let w = parameters[i] * (1.0 - row.rate * decay);
  parameters[i] = w - row.rate * (m / row.correction1) / (sqrt(v / row.correction2) + vec4f(EPSILON));
}
