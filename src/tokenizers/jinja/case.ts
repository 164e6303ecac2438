// Case conversion with the results of Python.

export const lower = (text: string): string => text.toLowerCase()
export const upper = (text: string): string => text.toUpperCase()

/** Converts the first character to title case and the others to lower case. */
export function capitalize(text: string): string {
  const [first = ''] = text
  // The whole text is lowercased, because the result for a sigma depends on the preceding characters.
  return titleCase(first) + lower(text).slice(lower(first).length)
}

/** Converts each letter after an uncased character to title case, and the others to lower case. */
export function title(text: string): string {
  let afterCased = false
  let result = ''
  for (const character of text) {
    result += afterCased ? lower(character) : titleCase(character)
    afterCased = CASED.test(character)
  }
  return result.replace(FINAL_SIGMA, '$1ς')
}

export function swapCase(text: string): string {
  let result = ''
  for (const character of text)
    result += UPPER.test(character)
      ? lower(character)
      : LOWER.test(character)
        ? upper(character)
        : character
  return result.replace(FINAL_SIGMA, '$1ς')
}

/** Case folding, for comparisons. */
export function caseFold(text: string): string {
  let result = ''
  for (const character of text) {
    if (CHEROKEE.test(character)) result += upper(character)
    else result += character === 'ı' ? character : lower(upper(lower(character)))
  }
  return result
}

export const isLower = (text: string): boolean => LOWER.test(text) && !UPPER_OR_TITLE.test(text)
export const isUpper = (text: string): boolean => UPPER.test(text) && !LOWER_OR_TITLE.test(text)

/** Whether upper and title case occur only after uncased characters, and lower case only after cased ones. */
export function isTitle(text: string): boolean {
  let afterCased = false
  let cased = false
  for (const character of text) {
    const starts = UPPER_OR_TITLE.test(character)
    const continues = LOWER.test(character)
    if ((starts && afterCased) || (continues && !afterCased)) return false
    afterCased = starts || continues
    cased ||= afterCased
  }
  return cased
}

const CASED = /\p{Cased}/u
const LOWER = /\p{Lowercase}/u
const UPPER = /\p{Uppercase}/u
const UPPER_OR_TITLE = /[\p{Uppercase}\p{Lt}]/u
const LOWER_OR_TITLE = /[\p{Lowercase}\p{Lt}]/u
const CHEROKEE = /[\u13a0-\u13fd\uab70-\uabbf]/
const FINAL_SIGMA = /(\p{Cased}\p{Case_Ignorable}*)σ(?!\p{Case_Ignorable}*\p{Cased})/gu

/** Digraphs, for example of Croatian, whose title case differs from their upper case. */
const DIGRAPHS = /[\u01c4-\u01cc\u01f1-\u01f3]/
const GEORGIAN = /[\u10d0-\u10fa\u10fd-\u10ff]/
const IOTA_SUBSCRIPT = /[\u1f80-\u1fff]/

function titleCase(character: string): string {
  const code = character.charCodeAt(0)
  if (DIGRAPHS.test(character))
    return String.fromCharCode(code >= 0x1f1 ? 0x1f2 : code - ((code - 0x1c4) % 3) + 1)
  if (GEORGIAN.test(character)) return character
  const raised = upper(character)
  const [first, ...rest] = raised
  if (rest.length === 0) return raised
  if (IOTA_SUBSCRIPT.test(character) && rest.at(-1) === 'Ι') return withIota(character, raised)
  return CASED.test(first) ? first + lower(rest.join('')) : raised
}

/** Greek letters with iota subscript, which their title case keeps. */
function withIota(character: string, raised: string): string {
  const code = character.charCodeAt(0)
  if (code < 0x1fb0) return String.fromCharCode(code | 8)
  if (code % 16 === 3 || code % 16 === 12) return String.fromCharCode((code & ~15) | 12)
  return `${raised.slice(0, -1)}\u0345`
}
