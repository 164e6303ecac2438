// Classes of characters of the Moses tokenizer. Its tables are those of an old Perl: newer letters, Han and Hangul are
// not among its letters. The tables are written by scripts/fixtures/moses.py.

/** Ranges of a class: distance from the previous range, and length, in base 36. */
const ALPHANUMERIC = `
1c 9 8 p 7 p 1c 0 b 0 5 0 6 m 2 u 2 cp 5 b f 4 8 0 2 0 2f 0 17 4 2 1 3 3 2 0 7 0 2 2 2 0 2 j 2 2a 2 3u 9 4l 2
11 3 0 8 12 15 d 2 0 2 1 2 1 2 0 9 q 6 2 u a 6 1j 2 g 5 2t 2 7 5 7 5 f 3 0 h 1b e 2s f 16 a 1 5 0 6 n 3 i k o
20 i 1e 5 7 2o 5 e 3 9 2 i 2 7 3 1 3 l 2 6 2 0 4 3 3 8 3 1 3 3 9 0 5 1 2 4 3 b g 2 2 5 5 1 3 l 2 6 2 1 2 1 2 1
3 0 2 4 5 1 3 2 4 0 8 3 2 0 8 f c 2 2 8 2 2 2 l 2 6 2 1 2 4 3 9 2 2 2 2 3 0 g 3 3 9 e 2 2 2 2 7 3 1 3 l 2 6 2
1 2 4 3 8 3 1 3 2 9 1 5 1 2 4 3 9 2 0 h 1 2 5 4 2 2 3 4 1 2 0 2 1 4 1 4 2 4 b 5 4 4 2 2 3 3 0 7 0 f 9 h 3 2 7
2 2 2 m 2 f 4 7 2 2 2 3 8 1 2 1 7 3 3 9 i 2 2 7 2 2 2 m 2 9 2 4 3 8 2 2 2 3 8 1 8 0 2 3 3 9 2 1 f 2 2 7 2 2 2
1e 2 2 2 4 9 0 9 3 3 9 b 5 3 1 2 h 4 n 2 8 2 0 3 6 4 0 5 5 2 0 2 7 7 9 3 1 e 1l 6 6 7 0 3 9 14 1 2 0 3 1 2 0 3
0 7 3 2 6 2 2 2 0 2 0 3 1 2 g 3 4 2 0 7 0 3 9 3 3 x 0 w 9 n 7 2 z 5 g 7 f 2 z 1w 1i 2 1 2 e 7 i 3 3 6 o 8 0 2
9 3 1 3 11 2 0 6 0 3 16 2 98 2 3 3 6 2 0 2 3 3 14 2 3 3 w 2 3 3 6 2 0 2 3 3 e 2 1k 2 3 3 1u 5 0 x f h 2c d h7
3 g 2 p 6 22 4 a 8 c 2 6 c j d j d c 2 2 2 1 d 1f 3 i f 0 5 0 4 9 13 9 7 2f 9 16 6 1x b u 2 b 5 8 e 13 3 4 c
17 5 p 7 9 13 r 5 1q 3 j c 9 7 9 e 0 2h 1f 2 e 2 6 5 9 13 15 2 1m 2 a f 1h 2 0 9 9 4 1c 30 3 2 5 2 1 a 5b 14 d
c 7p 3 5 3 11 3 5 3 7 2 0 2 0 2 0 2 u 3 1g 2 6 2 0 4 2 2 6 4 3 3 5 5 c 6 2 2 6 39 0 e 0 h c 2u 0 5 0 3 9 2 0 4
4 7 0 2 0 2 0 2 3 2 a 3 3 6 4 5 0 i 14 mm 1f 6b 0 184 1a 2 1a 2 3o 7 3 4 1 d 11 2 0 6 0 3 1j 8 0 h m a 6 2 6 2
6 2 6 2 6 2 6 2 6 2 6 2 v 1c 0 d3 0 17 4 7 0 5 2d 7 2 2 2h 2 3 6 14 4 2l i q 1i f lq9 wc 1w 19 3 7g 4 r l 1a 6
7 4 u 2 28 14 8 3 2u 3 3 2 t 3 1 1y a 2 2 2 3 2 r p 1f d 1w c 9 p 5 4 0 5 16 6 z d s 4 1e 2 b g a 7 4 2 o 2 1i
a d 3 9 7 m 4 0 4 1s 2 0 2 0 p 2 3 f 3 4 b 5 3 5 3 5 a 6 2 6 2 16 2 3 5 1 2j 16 6 9 8mv m 5 1c 6x1 6 d 4 6 b 2
c 2 4 2 0 2 1 2 1 2 2z y a2 j 1r 3 1h 15 b 39 4 2 3q k 9 8 p 7 p c 2g 4 5 3 5 3 5 3 2 21v 0 16v 0 37 1 3d 0 1s
0 25 0 a 0 2z 1 4z 1 2a 0 h 0 6t 0 4 0 3g 1 70 1 3j 0 3b 1 aq 1 bq 0 2c 0 ej 0 77 0 3 0 2a 0 148j 0
`

const NUMBERS = `
1c 9 3d 1 6 0 3 2 142 9 3r 9 5j 9 bh 9 3b 9 5 5 31 9 3b 9 3b 9 3 5 33 c 38 9 9 6 2w 9 3b f 35 9 2p 9 3b 9 1z j
7h 9 1z 9 k0 j oi 2 6o 9 7 9 n 9 8d 9 3l a 4m 9 7 9 53 9 2f 9 3r 9 7 9 t3 0 4 5 7 9 5j 1e 3 4 k7 1n 27 l hj t
12i 0 wl 3 3v 9 v 7 2 e x 9 14 e msh 9 59 9 8x 5 4b 9 13 9 5j 9 n 9 2f 9 bb 9 gev 9
`

const LOWERCASE = `
2p p 1c 0 b 0 5 0 11 n 2 7 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0
2 0 2 0 2 0 2 0 2 0 2 0 2 1 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 1 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2
0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 3 0 2 0 2 2 3 0 2 0 3 0 4 1 5 0 3 0 4 2 3 0 3 0 2 0 2 0 3 0 2 1 2 0
3 0 4 0 2 0 3 1 3 2 7 0 3 0 3 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 1 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 1 3 0 2 0 4
0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0
2 0 2 6 3 0 3 1 2 0 5 0 2 0 2 0 2 0 2 1w 2 z 8 1 v 4 2p 0 18 0 2 0 4 0 3 3 j 0 s y 2 1 4 2 2 0 2 0 2 0 2 0 2 0
2 0 2 0 2 0 2 0 2 0 2 0 2 4 2 0 3 0 3 1 1g 1b 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0
2 0 a 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2
0 3 0 2 0 2 0 2 0 2 0 2 0 2 1 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0
2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2
0 1e 12 2up 5 1oj 8 3c 5b 1u 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0
2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2
0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 8 2 0
2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2
0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 8 9 5 b 7 9 7 9 5 b 7 9 7 9 d
3 7 9 7 9 7 9 4 2 1 7 0 4 2 2 1 9 3 3 1 9 7 b 2 2 1 3e 0 e 0 h c 32 0 4 1 4 0 s 0 5 0 5 0 3 1 9 3 5 0 y f 5 0
ng p 6b 0 19g 1a 3 0 4 1 2 0 2 0 2 0 5 0 2 1 2 7 4 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2
0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0
2 0 2 0 2 0 2 0 2 0 2 0 2 1 8 0 2 0 5 0 d 11 2 0 6 0 nx0 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0
2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 k 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 2 3q 0 2 0 2 0 2 0 2
0 2 0 2 2 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0
2 0 2 0 2 0 2 0 2 0 2 9 2 0 2 0 3 0 2 0 2 0 2 0 2 0 5 0 2 0 3 0 2 2 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 c
0 2 0 1t 2 mu 16 2 9 b 27 fnl 6 d 4 tm p y6 13 3t z 1j9 1e 2by v 10zf p r 6 2 h r p r 3 2 0 2 6 2 a r p r p r
p r p r p r p r p r p r r t o 2 5 r o 2 5 r o 2 5 r o 2 5 r o 2 5 2 0 3fb x
`

/** Letters and decimal digits, as the inside of a character class. */
export const alphanumeric = classOf(ALPHANUMERIC)
/** Numbers of any kind, such as digits, fractions and Roman numerals. */
export const numeric = classOf(NUMBERS)
/** Lower-case letters. */
export const lowercase = classOf(LOWERCASE)
/** One letter, as an expression. */
export const letter = `(?!\\p{Nd})[${alphanumeric}]`
/** One character that is no letter, as an expression. */
export const noLetter = `(?:[^${alphanumeric}]|\\p{Nd})`

function classOf(table: string): string {
  const numbers = table
    .trim()
    .split(/\s+/)
    .map((text) => Number.parseInt(text, 36))
  let ranges = ''
  for (let i = 0, at = 0; i < numbers.length; i += 2) {
    const first = at + numbers[i]
    at = first + numbers[i + 1]
    ranges += `\\u{${first.toString(16)}}-\\u{${at.toString(16)}}`
  }
  return ranges
}
