// Python's `tokenizers` decomposes characters, and finds marks and scripts, by the tables of Unicode 9; JavaScript has
// a later version. Written by scripts/fixtures/unicode_nine.py.

/** Whether a character had no meaning in Unicode 9. Private characters count as such. */
export function isAfterUnicode9(character: string): boolean {
  const code = character.codePointAt(0) ?? 0
  if (code < STARTS[0]) return false
  let [low, high] = [0, STARTS.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (STARTS[middle] <= code) low = middle
    else high = middle
  }
  return code <= ENDS[low]
}

/** Ranges without characters: the distance from the last one, and the length, in base 36. */
const RANGES = `
oo 1 7 3 8 0 2 0 l 0 b2 0 13 1 8 0 14 0 3 1 4 0 1k 7 s 4 6 a u 0 6p 0 1p 1 2u d 1o 4 1b 1 g
0 t 1 2 1s m 0 9 l 4x 0 9 1 3 1 n 0 8 0 2 2 5 1 a 1 3 1 5 7 2 3 3 0 6 1 n 4 4 0 7 3 3 1 n 0
8 0 3 0 3 0 3 1 2 0 6 3 3 1 4 2 2 6 5 0 2 6 h a 4 0 a 0 4 0 n 0 8 0 3 0 6 1 b 0 4 0 4 1 2 e
5 1 d 6 2 6 4 0 9 1 3 1 n 0 8 0 3 0 6 1 a 1 3 1 4 7 3 3 3 0 6 1 j 9 3 0 7 2 4 0 5 2 3 0 2 0
3 2 3 2 4 2 d 3 6 2 4 0 5 1 2 5 2 d m 4 5 0 9 0 4 0 o 0 h 2 9 0 4 0 5 6 3 0 4 4 5 1 b 7 d 0
9 0 4 0 o 0 b 0 6 1 a 0 4 0 5 6 3 6 2 0 5 1 b 0 3 d 4 0 9 0 4 0 16 1 9 0 4 0 7 3 h 1 r 1 3 0
j 2 p 0 a 0 2 1 8 2 2 3 7 0 2 0 9 5 b 1 4 b 1n 3 u 10 3 0 2 1 3 0 2 1 2 5 5 0 8 0 4 0 2 0 2
1 3 0 e 0 4 1 6 0 2 0 7 1 b 1 5 v 21 0 11 3 14 0 11 0 g 0 e 10 5j 0 2 4 2 1 ai 0 5 1 8 0 2 0
5 1 16 0 5 1 y 0 5 1 8 0 2 0 5 1 g 0 1m 0 5 1 1w 1 x 2 r 5 2f 1 7 1 im 2 2i 6 e 0 8 a o 8 l
b e 0 4 0 3 b 2n 1 b 5 b 5 g 0 b 5 2h 7 18 4 1z 9 w 0 d 3 d 3 2 2 17 1 6 a 19 3 r 5 c 2 1r 1
1u 0 u 1 c 5 b 5 f 1 g 1s 25 3 1a 2 39 7 1p 2 g 2 1p 1i 9 7 14 0 3 5 6v 4 7w 1 7 1 13 1 7 1
9 0 2 0 2 0 2 0 w 1 1i 0 g 0 f 1 7 0 k 1 4 0 a 0 2u 0 d 1 s 0 e 2 w g y e 3x 3 hc 0 14 o c k
1ed 1 x 1 z 2 d 0 9 p 5 f 1c 0 1c 0 45 4 1a 0 2 4 2 1 1l 6 3 d p 8 8 0 8 0 8 0 8 0 8 0 8 0 8
0 8 0 2u 1m r 0 2i b 5z p d 3 1t 0 2f 1 2w 4 16 2 2n 0 18 4 11 b 1c 0 68 0 59z 9 g7r 15 we 2
1k 8 9p j 55 7 4w 0 9 1q 1i 3 b 5 1l 7 1z 7 d 5 v 1 2d a v 2 27 0 c 3 y 0 1k 8 f 1 b 1 2w n
t 9 7 1 7 1 7 8 8 0 8 0 1j 9 3j 1 b 5 8md b o 3 1e 6ir a7 1 2z 11 8 b 6 4 r 0 6 0 2 0 3 0 3
0 3h g a6 f 1t 1 1j 13 f 1 r 5 1g 0 k 0 5 3 6 0 3s 1 2 0 5b 2 7 1 7 1 7 1 4 2 8 0 8 9 6 1 d
0 r 0 k 0 3 0 g 1 f x 3g 4 4 3 1a 2 2h 0 d 3 2 1a 1b 3l u 2 1e e t 3 11 b s 4 18 4 v 0 12 3
f 15 4f 1 b 5 11 3 11 3 15 7 1h a 2 3z 8o 8 n 9 9 47 7 1 2 0 19 0 3 2 2 1 o 0 21 7 a 1b k 0
3 4 y 2 s 4 2 1r 1l 3 l 1 1f 0 3 4 9 0 4 0 s 3 4 3 a 7 a 6 1t v 14 3 d 8 1j 2 u 1 s 4 r 6 5
b 8 27 22 1i 1g c 1g 6 7 9r w ao 27 3 v e 1w d q 6 b 5 1i 0 f b 14 8 27 1 h 0 l a j 0 19 1s
8 0 2 0 5 0 g 0 c 5 1o 4 b 5 5 0 9 1 3 1 n 0 8 0 3 0 6 1 a 1 3 1 4 1 2 5 2 4 8 1 8 2 6 3u 2j
0 2 0 2 x 21 7 b 4l 1j 1 13 x 1y a b 5 e i 1l 7 b 1h r 2 g 3 h 9r 2c b 2 cf 1m 7a a 0 1a 0 f
9 u 2 x 1 n 0 f nc pn 2t 34 0 6 a 5h 24b ts 34g g8 6ns fu 6 w 0 b 3 3 2n v 1 7 9 1z 9 b 0 8
0 m 4 k of 1y a 1c f i 1r 2 u 4q6 i l0 7bg 3 2d9 30 4 e 2 a 6 b 1 9 3tn 6v 9 14 1 5d m 1z 55
2g 8 j 3x 2e 0 20 0 3 1 2 1 3 1 5 0 d 0 2 0 8 0 1u 0 5 1 9 0 8 0 t 0 5 0 6 0 2 2 8 0 9h 1 85
1 jj e 6 0 g 11r 8 0 i 1 8 0 3 0 6 1jo 5i 1 h 14 24 4 b 3 3 wv 5 0 s 0 3 0 2 1 2 0 b 0 5 0 2
0 2 5 2 3 2 0 2 0 2 0 4 0 3 0 2 1 2 0 2 0 2 0 2 0 2 0 3 0 2 1 5 0 8 0 5 0 5 0 2 0 b 0 i 4 4
0 6 0 i 1f 3 7h 19 3 2t b g 1 g 0 g 0 12 9 e 2 w 0 1p 3 1q 1k u c 19 3 a 6 3 4t r8 c e 2 8 8
39 b 2e 16 d 3 1l 7 b 5 15 7 v 2p g 0 9 7 2 1 d 0 d 3 g w j 19 2 18e wyg 14 37a a 67 1 4g3
865 f3 fheq 2 t 2p 3j 6p 47bj
`

const STARTS: number[] = []
const ENDS: number[] = []

const numbers = RANGES.trim()
  .split(/\s/)
  .map((text) => Number.parseInt(text, 36))
for (let i = 0, at = 0; i < numbers.length; i += 2) {
  STARTS.push(at + numbers[i])
  at += numbers[i] + numbers[i + 1]
  ENDS.push(at)
}
