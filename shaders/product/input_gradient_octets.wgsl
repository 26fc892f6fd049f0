// Operands of a convolution's input gradient as in input_gradient.wgsl, in octets of channels of dy.
override HEIGHT: u32 = 1u; // of dy
override WIDTH: u32 = 1u;
override OCTETS: u32 = 1u;
override SOURCE_HEIGHT: u32 = 1u;
override SOURCE_WIDTH: u32 = 1u;
override KERNEL_HEIGHT: u32 = 1u;
override KERNEL_WIDTH: u32 = 1u;
override STRIDE: u32 = 1u;
override PADDING: u32 = 0u;
override K: u32 = 16u;
override CLASS_HEIGHT: u32 = (SOURCE_HEIGHT + STRIDE - 1u) / STRIDE;
override CLASS_WIDTH: u32 = (SOURCE_WIDTH + STRIDE - 1u) / STRIDE;
override CLASS_TAPS: u32 = (KERNEL_WIDTH + STRIDE - 1u) / STRIDE; // in a row
const NO_ROW = 0xffffffffu;

// The first tap that reaches a class, and every STRIDE-th after it.
fn tapAt(remainder: u32, k: u32) -> u32 {
  return (remainder + PADDING) % STRIDE + k * STRIDE;
}

// Eight channels of the cotangent that reaches a pixel of the input through a tap.
fn leftOctet(batch: u32, pixel: u32, octet: u32) -> u32 {
  let tap = octet / OCTETS;
  let ky = tapAt(batch / STRIDE, tap / CLASS_TAPS);
  let kx = tapAt(batch % STRIDE, tap % CLASS_TAPS);
  let y = (pixel / CLASS_WIDTH % CLASS_HEIGHT * STRIDE + batch / STRIDE + PADDING - ky) / STRIDE;
  let x = (pixel % CLASS_WIDTH * STRIDE + batch % STRIDE + PADDING - kx) / STRIDE;
  let reached = ky < KERNEL_HEIGHT && kx < KERNEL_WIDTH && y < HEIGHT && x < WIDTH;
  if ((!WHOLE_M && pixel >= M) || (!WHOLE_K && octet >= K / 8u) || !reached) { return ZEROS; }
  let at = (pixel / (CLASS_WIDTH * CLASS_HEIGHT) * HEIGHT + y) * WIDTH + x;
  return at * OCTETS + octet % OCTETS;
}

// Eight channels of dy under one tap for a channel of the input.
fn rightOctet(batch: u32, n: u32, octet: u32) -> u32 {
  let tap = octet / OCTETS;
  let ky = tapAt(batch / STRIDE, tap / CLASS_TAPS);
  let kx = tapAt(batch % STRIDE, tap % CLASS_TAPS);
  if ((!WHOLE_N && n >= 4u * N4) || (!WHOLE_K && octet >= K / 8u) || ky >= KERNEL_HEIGHT || kx >= KERNEL_WIDTH) { return ZEROS; }
  return ((ky * KERNEL_WIDTH + kx) * 4u * N4 + n) * OCTETS + octet % OCTETS;
}

fn resultRow(batch: u32, m: u32) -> u32 {
  let y = m / CLASS_WIDTH % CLASS_HEIGHT * STRIDE + batch / STRIDE;
  let x = m % CLASS_WIDTH * STRIDE + batch % STRIDE;
  let n = m / (CLASS_WIDTH * CLASS_HEIGHT);
  return select(
    NO_ROW,
    (n * SOURCE_HEIGHT + y) * SOURCE_WIDTH + x,
    (WHOLE_M || m < M) && y < SOURCE_HEIGHT && x < SOURCE_WIDTH,
  );
}
