// Multiply-adds in registers: 8 independent chains of vectors, 32 links a round. Memory is touched once at the end, so
// that no compiler may leave the work out.
//
// Bindings: y[1] per invocation.

override ROUNDS: u32 = 4u;

@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group.x * 256u + lane;
  let m = vec4f(0.999) + vec4f(1e-7, 2e-7, 3e-7, 4e-7) * f32(lane);
  let k = vec4f(0.001);
  var a = vec4f(f32(lane));
  var b = a + 1.0;
  var c = a + 2.0;
  var d = a + 3.0;
  var e = a + 4.0;
  var f = a + 5.0;
  var g = a + 6.0;
  var h = a + 7.0;
  for (var round = 0u; round < ROUNDS; round++) {
    a = fma(a, m, k);
    b = fma(b, m, k);
    c = fma(c, m, k);
    d = fma(d, m, k);
    e = fma(e, m, k);
    f = fma(f, m, k);
    g = fma(g, m, k);
    h = fma(h, m, k);
    a = fma(a, m, k);
    b = fma(b, m, k);
    c = fma(c, m, k);
    d = fma(d, m, k);
    e = fma(e, m, k);
    f = fma(f, m, k);
    g = fma(g, m, k);
    h = fma(h, m, k);
    a = fma(a, m, k);
    b = fma(b, m, k);
    c = fma(c, m, k);
    d = fma(d, m, k);
    e = fma(e, m, k);
    f = fma(f, m, k);
    g = fma(g, m, k);
    h = fma(h, m, k);
    a = fma(a, m, k);
    b = fma(b, m, k);
    c = fma(c, m, k);
    d = fma(d, m, k);
    e = fma(e, m, k);
    f = fma(f, m, k);
    g = fma(g, m, k);
    h = fma(h, m, k);
  }
  let sum = a + b + c + d + e + f + g + h;
  y[i] = sum.x + sum.y + sum.z + sum.w;
}
