// Writes tickets.csv: 900 made-up messages to a support desk, each with its topic.
import { writeFileSync } from 'node:fs'

const topics: Record<string, [subjects: string[], troubles: string[]]> = {
  billing: [
    [
      'my invoice',
      'the last bill',
      'the payment',
      'my subscription',
      'the refund',
      'my credit card',
    ],
    [
      'was charged twice',
      'shows the wrong amount',
      'has not arrived',
      'was declined',
      'is too high',
      'cannot be downloaded',
    ],
  ],
  login: [
    [
      'my password',
      'the sign-in page',
      'my account',
      'the reset link',
      'the second factor',
      'my user name',
    ],
    [
      'is not accepted',
      'is locked',
      'does not work',
      'has expired',
      'was not recognised',
      'keeps loading',
    ],
  ],
  shipping: [
    ['my order', 'the parcel', 'the package', 'my delivery', 'the tracking number', 'the courier'],
    [
      'has not arrived',
      'was damaged',
      'went to the wrong address',
      'is late',
      'is not known',
      'cannot be traced',
    ],
  ],
}
const openings = ['Hello,', 'Hi there,', 'Good morning,', 'Help!', 'Dear team,', '']
const closings = [
  'Please help.',
  'What should I do?',
  'Since yesterday.',
  'Thank you.',
  'This is urgent.',
  '',
]

// A small generator of random numbers with a seed: the file is the same on every machine.
let state = 1
const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647
const pick = <T>(values: T[]): T => values[Math.floor(random() * values.length)]

const rows = Array.from({ length: 900 }, () => {
  const label = pick(Object.keys(topics))
  const [subjects, troubles] = topics[label]
  const text = [pick(openings), `${pick(subjects)} ${pick(troubles)}.`, pick(closings)]
  const topic = random() < 0.04 ? pick(Object.keys(topics)) : label // some messages are filed under the wrong topic
  return `"${text.filter(Boolean).join(' ')}",${topic}`
})
writeFileSync('tickets.csv', `text,label\n${rows.join('\n')}\n`)
