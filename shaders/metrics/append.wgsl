// Writes one row of a ring: VALUES numbers, then NORMS numbers, at row `slot` modulo ROWS.
override VALUES: u32 = 1u;
override NORMS: u32 = 1u;
override ROWS: u32 = 1u;

@group(0) @binding(0) var<storage, read> slot: array<u32>;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> norms: array<f32>;
@group(0) @binding(3) var<storage, read_write> ring: array<f32>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x;
  let at = (slot[0] % ROWS) * (VALUES + NORMS) + column;
  if (column < VALUES) { ring[at] = values[column]; }
  else if (column < VALUES + NORMS) { ring[at] = norms[column - VALUES]; }
}
