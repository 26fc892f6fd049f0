// SGD with momentum (PyTorch's form): g += decay·w; v = momentum·v + g; w -= lr·(nesterov ? g + momentum·v : v).
// Blocks of 64 numbers belong to one parameter; `blocks` holds each block's group (low 16 bits), whether weight decay
// applies (bit 16), or FREE. Rows of `groups` are the step's table or, where SCALED, those that group_norms.wgsl made.
override MOMENTUM: f32 = 0.9;
override NESTEROV: bool = true;
override COUNT4: u32 = 16u;
// Numbers that one invocation updates, in vec4s: 1, or 16 for a whole block.
override UNIT: u32 = 1u;
override SCALED: bool = false;
// Whether squares[b] = Σ g² over block b is left behind; 0 for a block that belongs to no parameter.
override SQUARES: bool = false;
// Whether the rows tell how the loss scale goes on, which stands in the parameters at STATE and 16 further.
override DYNAMIC: bool = false;
override STATE: u32 = 0u;
override GROWTH_STEPS: f32 = 2000.0;
override LEAST: f32 = 1.0;
override LARGEST: f32 = 16777216.0;

const FREE = 0xffffffffu;

struct Group { rate: f32, decay: f32, scale: f32, active_: f32, correction1: f32, correction2: f32, verdict: vec2f }

@group(0) @binding(0) var<storage, read> blocks: array<u32>;
@group(0) @binding(1) var<storage, read> groups: array<Group>;
@group(0) @binding(2) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> velocity: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> squares: array<f32>;

var<workgroup> partial: array<f32, 64>;

// A loss scale: itself, good steps in a row, steps skipped. The verdict is 0 for no step, 1 for a good one, 2 for a skipped one.
fn advance(state: vec4f, verdict: f32) -> vec4f {
  if (verdict == 0.0) { return state; }
  if (verdict == 2.0) { return vec4f(max(0.5 * state.x, LEAST), 0.0, state.z + 1.0, 0.0); }
  if (state.y + 1.0 < GROWTH_STEPS) { return vec4f(state.x, state.y + 1.0, state.z, 0.0); }
  return vec4f(min(2.0 * state.x, LARGEST), 0.0, state.z, 0.0);
}

// Updates four numbers; returns the sum of their gradient's squares.
fn update(i: u32) -> f32 {
  if (i >= COUNT4) { return 0.0; }
  let block = blocks[i / 16u];
  if (block == FREE) { return 0.0; }
  let gradient = gradients[i];
  let row = groups[block & 0xffffu];
  if (row.active_ != 0.0) {
    let scale = select(1.0, row.scale, SCALED);
    let decay = select(0.0, row.decay, (block & 0x10000u) != 0u);
    let w = parameters[i];
    let g = scale * gradient + decay * w;
    let v = MOMENTUM * velocity[i] + g;
    velocity[i] = v;
    parameters[i] = w - row.rate * select(v, g + MOMENTUM * v, NESTEROV);
  }
  return dot(gradient, gradient);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) extent: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * extent.x + group.x) * 64u + lane;
  if (DYNAMIC && i == 0u) {
    let verdict = groups[0].verdict;
    parameters[STATE] = advance(parameters[STATE], verdict.x);
    parameters[STATE + 16u] = advance(parameters[STATE + 16u], verdict.y);
  }
  var square = 0.0;
  if (UNIT == 1u) { square = update(i); }
  else { for (var k = 0u; k < UNIT; k++) { square += update(i * UNIT + k); } }
  if (!SQUARES) { return; }
  if (UNIT == 1u) {
    partial[lane] = square;
    workgroupBarrier();
    if (lane % 16u == 0u && i < COUNT4) {
      square = 0.0;
      for (var k = 0u; k < 16u; k++) { square += partial[lane + k]; }
      squares[i / 16u] = square;
    }
  } else if (i < COUNT4 / 16u) { squares[i] = square; }
}
