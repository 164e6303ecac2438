// Character classes of Python's `tokenizers`, which has tables of Unicode 8 and 9, as patterns for JavaScript, which
// has a later version. `isAfterUnicode9` handles marks that are newer than Unicode 9.

/** Characters that are punctuation only in versions after Unicode 8. */
const NEWER_PUNCTUATION =
  '\\u061d\\u09fd\\u0a76\\u0c77\\u0c84\\u1b4e\\u1b4f\\u1b7d-\\u1b7f\\u2e43-\\u2e4f\\u2e52-\\u2e5d\\u{10d6e}\\u{10ead}' +
  '\\u{10ed0}\\u{10f55}-\\u{10f59}\\u{10f86}-\\u{10f89}\\u{113d4}\\u{113d5}\\u{113d7}\\u{113d8}\\u{1144b}-\\u{1144f}' +
  '\\u{1145a}\\u{1145b}\\u{1145d}\\u{11660}-\\u{1166c}\\u{116b9}\\u{1183b}\\u{11944}-\\u{11946}\\u{119e2}' +
  '\\u{11a3f}-\\u{11a46}\\u{11a9a}-\\u{11a9c}\\u{11a9e}-\\u{11aa2}\\u{11b00}-\\u{11b09}\\u{11be1}\\u{11c41}-\\u{11c45}' +
  '\\u{11c70}\\u{11c71}\\u{11ef7}\\u{11ef8}\\u{11f43}-\\u{11f4f}\\u{11fff}\\u{12ff1}\\u{12ff2}\\u{16d6d}-\\u{16d6f}' +
  '\\u{16e97}-\\u{16e9a}\\u{16fe2}\\u{1e5ff}\\u{1e95e}\\u{1e95f}'

/** Includes the ASCII symbols, and two characters that were punctuation in Unicode 8 only. */
const ANY_PUNCTUATION = '\\p{P}!-/:-@[-`{-~\\u166d\\u{111c9}'

/** A punctuation character. */
export const PUNCTUATION = new RegExp(`(?![${NEWER_PUNCTUATION}])[${ANY_PUNCTUATION}]`, 'gu')

/** A punctuation character, or a word delimited by punctuation and white space. */
export const BERT_WORDS = new RegExp(
  `(?:[^\\p{White_Space}${ANY_PUNCTUATION}]|[${NEWER_PUNCTUATION}])+|[${ANY_PUNCTUATION}]`,
  'gu',
)

/** Marks of the normaliser StripAccents. */
export const MARK = /(?!\u{111c9})[\p{M}\u1cf2\u1cf3]/u

/** Characters that are marks only in versions after Unicode 8, other than those of `isAfterUnicode9`. */
const NEWER_MARKS = [
  '\\u08d4-\\u08e1',
  '\\u1885\\u1886',
  '\\u1dfb',
  '\\ua8c5\\ua9bd',
  '\\u{111c9}\\u{1123e}',
  '\\u{11438}-\\u{11446}',
  '\\u{11c30}-\\u{11cb6}',
  '\\u{1e000}-\\u{1e02a}',
  '\\u{1e944}-\\u{1e94a}',
].join('')

/** Marks that BertNormalizer removes. */
export const NONSPACING = new RegExp(`(?![${NEWER_MARKS}])[\\p{Mn}\\u1734\\u{1171e}]`, 'u')

/** Control and formatting characters that BertNormalizer removes. */
export const CONTROL =
  /(?![\u0890\u0891\u08e2\u{110cd}\u{13430}-\u{1343f}])[\p{Cc}\p{Cf}\p{Co}\ufffd]/u
