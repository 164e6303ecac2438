/**
 * Threefry-2x32 with 20 rounds (Salmon et al., 2011), a counter-based random number generator: writes two random 32-bit
 * words for key (k0, k1) and counter (c0, c1) to `out`.
 */
export function threefry2x32(
  k0: number,
  k1: number,
  c0: number,
  c1: number,
  out: Uint32Array,
): void {
  const k2 = k0 ^ k1 ^ PARITY
  let x0 = (c0 + k0) | 0
  let x1 = (c1 + k1) | 0
  for (let group = 0; group < 5; group++) {
    const first = (group & 1) * 4
    for (let round = first; round < first + 4; round++) {
      x0 = (x0 + x1) | 0
      x1 = ((x1 << ROTATIONS[round]) | (x1 >>> (32 - ROTATIONS[round]))) ^ x0
    }
    const next = (group + 1) % 3
    const after = (group + 2) % 3
    x0 = (x0 + (next === 0 ? k0 : next === 1 ? k1 : k2)) | 0
    x1 = (x1 + (after === 0 ? k0 : after === 1 ? k1 : k2) + group + 1) | 0
  }
  out[0] = x0
  out[1] = x1
}

const PARITY = 0x1bd11bda
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24]
