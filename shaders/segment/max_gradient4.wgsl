// dx[r, f] = Σ dy[n, f] / (rows of segment n that equal its maximum y[n, f]) over the n = segments[e] whose maximum x[r, f] is,
// e from row_offsets[r] to before row_offsets[r + 1], in their order, by vec4s: one invocation a row and column.
override N: u32 = 1u;
override ROWS: u32 = 1u;
override EDGES: u32 = 1u;
override F: u32 = 1u;

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> y: array<vec4f>;
@group(0) @binding(3) var<storage, read> offsets: array<u32>;
@group(0) @binding(4) var<storage, read> sources: array<u32>;
@group(0) @binding(5) var<storage, read> row_offsets: array<u32>;
@group(0) @binding(6) var<storage, read> segments: array<u32>;
@group(0) @binding(7) var<storage, read_write> dx: array<vec4f>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= ROWS * F) { return; }
  let row = index / F;
  let column = index % F;
  let own = x[index];
  let end = min(row_offsets[row + 1u], EDGES);
  var total = vec4f(0.0);
  for (var e = row_offsets[row]; e < end; e++) {
    let segment = min(segments[e], N - 1u);
    let at = segment * F + column;
    let largest = y[at];
    let wins = own == largest;
    if (any(wins)) {
      var winners = vec4f(0.0);
      let last = min(offsets[segment + 1u], EDGES);
      for (var k = offsets[segment]; k < last; k++) {
        let other = x[min(sources[k], ROWS - 1u) * F + column];
        winners += select(vec4f(0.0), vec4f(1.0), other == largest);
      }
      total += select(vec4f(0.0), dy[at] / max(winners, vec4f(1.0)), wins);
    }
  }
  dx[index] = total;
}
