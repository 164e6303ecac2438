import { once } from '../../util/once.ts'
import type { AlignedText } from './aligned-text.ts'
import type { PreTokenizer } from './steps.ts'
import { isAfterUnicode9 } from './unicode-version.ts'

/**
 * Splits where the script changes, like SentencePiece: kana count as Han, and a space belongs to the preceding script.
 * As in Python, characters without a script are dropped at the start of a text.
 */
export const unicodeScripts: PreTokenizer = (source) => {
  const starts: number[] = []
  let at = 0
  let last: string | undefined
  for (const character of source.text) {
    const script = scriptOf(character)
    if (script !== undefined) {
      if (script !== last) starts.push(at)
      last = script
    }
    at += character.length
  }
  return starts.map((start, i): AlignedText => source.slice(start, starts[i + 1] ?? at))
}

const known = new Map<string, string | undefined>([
  [' ', undefined],
  ['ー', 'Han'],
])

/** The script of a character in Unicode 9, the version of Python's table. */
function scriptOf(character: string): string | undefined {
  if (known.has(character)) return known.get(character)
  const index = isAfterUnicode9(character) ? -1 : patterns().findIndex((p) => p.test(character))
  const script = index < 0 ? undefined : (SAME[SCRIPTS[index]] ?? SCRIPTS[index])
  known.set(character, script)
  return script
}

const SAME: Record<string, string> = { Hiragana: 'Han', Katakana: 'Han' }

/** Scripts of Unicode 9, frequent ones first. */
const SCRIPTS =
  `Latin Common Han Inherited Cyrillic Arabic Hiragana Katakana Hangul Greek Hebrew Devanagari Thai
Adlam Ahom Anatolian_Hieroglyphs Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki Bopomofo Brahmi
Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee Coptic Cuneiform Cypriot
Deseret Duployan Egyptian_Hieroglyphs Elbasan Ethiopic Georgian Glagolitic Gothic Grantha Gujarati Gurmukhi Hanunoo
Hatran Imperial_Aramaic Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Kayah_Li Kharoshthi
Khmer Khojki Khudawadi Lao Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Malayalam Mandaic Manichaean
Marchen Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar
Nabataean New_Tai_Lue Newa Nko Ogham Ol_Chiki Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian
Old_South_Arabian Old_Turkic Oriya Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician
Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sora_Sompeng Sundanese
Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangut Telugu Thaana Tibetan Tifinagh
Tirhuta Ugaritic Vai Warang_Citi Yi`.split(/\s/)

const patterns = once(() => SCRIPTS.map((script) => new RegExp(`\\p{Script=${script}}`, 'u')))
