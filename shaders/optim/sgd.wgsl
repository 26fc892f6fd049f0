// SGD with momentum (PyTorch's form): g += decay·w; v = momentum·v + g; w -= lr·(nesterov ? g + momentum·v : v).
// Blocks of 64 numbers belong to one parameter; `blocks` holds each block's group (low 16 bits), whether weight decay
// applies (bit 16), or FREE. One row of `groups` is: learning rate, weight decay, largest norm (0: none), active.
override MOMENTUM: f32 = 0.9;
override NESTEROV: bool = true;
override COUNT4: u32 = 16u;

const FREE = 0xffffffffu;

struct Group { rate: f32, decay: f32, clip: f32, active_: f32, correction1: f32, correction2: f32, pad0: f32, pad1: f32 }

@group(0) @binding(0) var<storage, read> blocks: array<u32>;
@group(0) @binding(1) var<storage, read> groups: array<Group>;
@group(0) @binding(2) var<storage, read> norms: array<f32>;
@group(0) @binding(3) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> velocity: array<vec4f>;

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
  let w = parameters[i];
  let g = scale * gradients[i] + decay * w;
  let v = MOMENTUM * velocity[i] + g;
  velocity[i] = v;
  parameters[i] = w - row.rate * select(v, g + MOMENTUM * v, NESTEROV);
}
