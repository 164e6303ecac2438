// Formats dates like Python's `strftime`, in English.

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/** Numeric directives, with the number of digits and the fill character. */
const NUMBERS: Record<string, (date: Date) => [value: number, digits: number, fill: string]> = {
  Y: (date) => [date.getFullYear(), 1, '0'],
  G: (date) => [isoWeek(date).year, 1, '0'],
  C: (date) => [Math.floor(date.getFullYear() / 100), 2, '0'],
  y: (date) => [date.getFullYear() % 100, 2, '0'],
  g: (date) => [isoWeek(date).year % 100, 2, '0'],
  m: (date) => [date.getMonth() + 1, 2, '0'],
  d: (date) => [date.getDate(), 2, '0'],
  e: (date) => [date.getDate(), 2, ' '],
  H: (date) => [date.getHours(), 2, '0'],
  k: (date) => [date.getHours(), 2, ' '],
  I: (date) => [date.getHours() % 12 || 12, 2, '0'],
  l: (date) => [date.getHours() % 12 || 12, 2, ' '],
  M: (date) => [date.getMinutes(), 2, '0'],
  S: (date) => [date.getSeconds(), 2, '0'],
  f: (date) => [date.getMilliseconds() * 1000, 6, '0'],
  j: (date) => [dayOfYear(date) + 1, 3, '0'],
  u: (date) => [date.getDay() || 7, 1, '0'],
  w: (date) => [date.getDay(), 1, '0'],
  U: (date) => [Math.floor((dayOfYear(date) + 7 - date.getDay()) / 7), 2, '0'],
  W: (date) => [Math.floor((dayOfYear(date) + 7 - ((date.getDay() + 6) % 7)) / 7), 2, '0'],
  V: (date) => [isoWeek(date).week, 2, '0'],
  s: (date) => [Math.floor(date.getTime() / 1000), 1, '0'],
}

const WORDS: Record<string, (date: Date) => string> = {
  A: (date) => DAYS[date.getDay()],
  a: (date) => DAYS[date.getDay()].slice(0, 3),
  B: (date) => MONTHS[date.getMonth()],
  b: (date) => MONTHS[date.getMonth()].slice(0, 3),
  h: (date) => MONTHS[date.getMonth()].slice(0, 3),
  p: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  P: (date) => (date.getHours() < 12 ? 'am' : 'pm'),
  z: () => '',
  Z: () => '',
  n: () => '\n',
  t: () => '\t',
  '%': () => '%',
}

/** Directives that are abbreviations. */
const COMPOSED: Record<string, string> = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  x: '%m/%d/%y',
  F: '%Y-%m-%d',
  r: '%I:%M:%S %p',
  R: '%H:%M',
  T: '%H:%M:%S',
  X: '%H:%M:%S',
}

/** Formats a local date like `strftime`, with the flags `-`, `_`, `0`, `^` and `#` of the GNU library. */
export function formatDate(date: Date, format: string): string {
  return format.replace(/%([-_0^#]*)([A-Za-z%])/g, (match, flags: string, directive: string) => {
    if (COMPOSED[directive]) return cased(formatDate(date, COMPOSED[directive]), flags)
    if (WORDS[directive]) return cased(WORDS[directive](date), flags)
    if (!NUMBERS[directive]) return match
    const [value, digits, fill] = NUMBERS[directive](date)
    if (flags.includes('-')) return String(value)
    const filling = flags.includes('_') ? ' ' : flags.includes('0') ? '0' : fill
    return String(value).padStart(digits, filling)
  })
}

function cased(text: string, flags: string): string {
  if (flags.includes('^')) return text.toUpperCase()
  if (!flags.includes('#')) return text
  return text === 'AM' || text === 'PM' ? text.toLowerCase() : text.toUpperCase()
}

function dayOfYear(date: Date): number {
  const start = Date.UTC(date.getFullYear(), 0, 1)
  return (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - start) / 86_400_000
}

/** The week of ISO 8601, which is determined by its Thursday. */
function isoWeek(date: Date): { year: number; week: number } {
  const thursday = new Date(
    date.getFullYear(),
    date.getMonth(),
    date.getDate() + 4 - (date.getDay() || 7),
  )
  return { year: thursday.getFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 }
}
