// y[n, f] = Σ, mean or maximum of x[min(sources[e], ROWS − 1), f] over the e from offsets[n] to before offsets[n + 1], in their
// order, by vec4s: one invocation a result; 0 where there is no e.
override N: u32 = 1u;
override ROWS: u32 = 1u;
override EDGES: u32 = 1u;
override F: u32 = 1u;
override MEAN: bool = false;
override MAXIMUM: bool = false;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(2) var<storage, read> sources: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

fn epilogue(at: u32, value: vec4f) -> vec4f { return value; }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= N * F) { return; }
  let segment = index / F;
  let begin = offsets[segment];
  let end = min(offsets[segment + 1u], EDGES);
  var result = vec4f(0.0);
  for (var e = begin; e < end; e++) {
    let value = x[min(sources[e], ROWS - 1u) * F + index % F];
    if (MAXIMUM) {
      result = select(max(result, value), value, e == begin);
    } else {
      result += value;
    }
  }
  if (MEAN && end > begin) { result /= f32(end - begin); }
  y[index] = epilogue(index, result);
}
