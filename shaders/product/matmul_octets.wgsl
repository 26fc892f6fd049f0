// Operands of y = a · b in octets, for rows of either that divide by eight.
override K: u32 = 16u;
override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;
override ROWS: u32 = M; // of a
override ONES: u32 = NO_ROW; // a further row of ones under a transposed one, for the sums of b
override A_ROWS: u32 = select(M, K, TRANSPOSE_A);
override A_OCTETS: u32 = select(K, ROWS, TRANSPOSE_A) / 8u;
override B_ROWS: u32 = select(K, 4u * N4, TRANSPOSE_B);
// Whether neither a row nor an octet of an operand lies outside it.
override WHOLE_A: bool = WHOLE_M && WHOLE_K && ROWS == M;
override WHOLE_B: bool = WHOLE_N && WHOLE_K;
override B_OCTETS: u32 = select(4u * N4, K, TRANSPOSE_B) / 8u;
const NO_ROW = 0xffffffffu;

fn leftOctet(batch: u32, line: u32, octet: u32) -> u32 {
  if (!WHOLE_A && (line >= A_ROWS || octet >= A_OCTETS)) { return select(ZEROS, ONE, line < A_ROWS && octet * 8u == ONES); }
  return (batch * A_ROWS + line) * A_OCTETS + octet;
}

fn rightOctet(batch: u32, line: u32, octet: u32) -> u32 {
  if (!WHOLE_B && (line >= B_ROWS || octet >= B_OCTETS)) { return ZEROS; }
  return (batch * B_ROWS + line) * B_OCTETS + octet;
}

fn resultRow(batch: u32, m: u32) -> u32 {
  return select(NO_ROW, batch * M + m, WHOLE_M || m < M);
}
