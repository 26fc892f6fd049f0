// dx[r, f] = Σ dy[n, f] / (length of segment n) over the n = segments[e], e from row_offsets[r] to before row_offsets[r + 1],
// in their order: one invocation a row and column.
override N: u32 = 1u;
override ROWS: u32 = 1u;
override EDGES: u32 = 1u;
override F: u32 = 1u;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(2) var<storage, read> row_offsets: array<u32>;
@group(0) @binding(3) var<storage, read> segments: array<u32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

fn epilogue(at: u32, value: f32) -> f32 { return value; }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= ROWS * F) { return; }
  let row = index / F;
  let end = min(row_offsets[row + 1u], EDGES);
  var total = 0.0;
  for (var e = row_offsets[row]; e < end; e++) {
    let segment = min(segments[e], N - 1u);
    let length = min(offsets[segment + 1u], EDGES) - offsets[segment];
    total += dy[segment * F + index % F] / f32(max(length, 1u));
  }
  dx[index] = epilogue(index, total);
}
