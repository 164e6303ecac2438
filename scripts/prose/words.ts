// Habits of a literal translation, and what to write instead. Patterns find only the usual cases; a sentence without a
// match may still need to be rewritten.

export interface Habit {
  pattern: RegExp
  /** What is usually meant. */
  instead: string
}

export const habits: readonly Habit[] = [
  { pattern: /\b(?:is|are|was|were|be|been) told\b|\btells?\b|\btelling\b|\btold apart\b/i, instead: 'reported, shown, says, distinguished' }, // biome-ignore format: one line
  { pattern: /\bstands?\b(?! for\b| in for\b)|\bstood\b/i, instead: 'is' },
  { pattern: /\b(?:go|goes|going|went) on\b/i, instead: 'continues, resumes' },
  { pattern: /\bso many\b|\bso much\b(?! (?:as|more|less))/i, instead: 'n, this many' },
  { pattern: /\bwhoever\b|\bwhomever\b|\bnobody\b|\bsomebody\b/i, instead: 'the user, the caller, no one' }, // biome-ignore format: one line
  { pattern: /\banew\b|\bafresh\b|\bbegins? again\b/i, instead: 'again, start over' },
  { pattern: /\bsome (?:\d|two|three|four|five|six|seven|eight|nine|ten|hundred|thousand|dozen)\b/i, instead: 'about' }, // biome-ignore format: one line
  { pattern: /\b(?:is|are|was|were) (?:not )?to (?:be|have)\b/i, instead: 'must, will, should' },
  { pattern: /\bwhat is to\b/i, instead: 'name the thing' },
  { pattern: /\b(?:is|are|was|were) wanted\b|\bit wants\b/i, instead: 'needed, required, recommended' }, // biome-ignore format: one line
  { pattern: /\blie\b|\blies\b|\blay\b(?! out)/i, instead: 'is, are, is stored' },
  { pattern: /\bno (?:\w+ )?(?:\w+ )?any ?more\b|\bany more[,.;:)]|\bany more$/i, instead: 'no longer' }, // biome-ignore format: one line
  { pattern: /\bbeside\b/i, instead: 'next to, alongside, in addition to' },
  { pattern: /\bbeforehand\b/i, instead: 'in advance, ahead of time' },
  { pattern: /\bby which\b|\bof which\b|\bupon which\b|\bafter which\b|\bwhereof\b|\bwhereupon\b|\bthereof\b/i, instead: 'split the sentence' }, // biome-ignore format: one line
  { pattern: /\bthe more\b.*\bthe \w+(?:er|more)\b/i, instead: 'say what grows with what' },
  { pattern: /\bmuch (?:data|text|memory|time)\b(?! as)/i, instead: 'a lot of, large' },
  {
    pattern: /\blet alone\b|\bfor want of\b|\bof late\b|\bas well as not\b/i,
    instead: 'plain words',
  },
  { pattern: /\bcomes? (?:out|next|first|last)\b|\bcame out\b/i, instead: 'the result, the next one, is first' }, // biome-ignore format: one line
  { pattern: /\bread anew\b|\bmade anew\b|\bheard? of\b|\bhears of\b/i, instead: 'read again, is notified' }, // biome-ignore format: one line
  {
    pattern: /\bwhat (?:it|they|he|one) (?:is|are|was|were) (?:of|for)\b/i,
    instead: 'name the thing',
  },
  { pattern: /\bone of its own\b|\bof its own[.;,:)]/i, instead: 'its own …, separate' },
  { pattern: /\bin another way\b|\bin the same way as\b/i, instead: 'differently, like' },
  { pattern: /\bhow (?:near|far|long|full|good|often) (?:it|they|the|a|an|each)\b.*(?<!\?)$/i, instead: 'a noun: distance, duration, quality' }, // biome-ignore format: one line
  { pattern: /\blearnt\b|\bto learn something\b/i, instead: 'learned' },
  { pattern: /\bat once\b/i, instead: 'immediately, at the same time, in one call' },
  { pattern: /\blook at\b.*\bheld[- ]?out\b|\blooks at held/i, instead: 'evaluation' },
  { pattern: /\bmay not\b/i, instead: 'must not, cannot (or might not)' },
  { pattern: /\bnot before\b|\bnot until then\b/i, instead: 'after' },
  { pattern: /\bby hand\b.*\bby itself\b/i, instead: 'manually, automatically' },
  { pattern: /\bby itself\b/i, instead: 'automatically, on its own' },
  { pattern: /\blike(?:wise)?[.;]$|\blikewise\b/i, instead: 'also, in the same way' },
  { pattern: /\bends well\b|\bends badly\b/i, instead: 'succeeds, fails' },
  {
    pattern: /\brow by row\b.*\bpiece by piece\b/i,
    instead: 'bitwise identical, exactly',
  },
  { pattern: /\bas (?:far|long) as .* has (?:them|it)\b/i, instead: 'where available' },
  { pattern: /\bgive(?:s|n)? away\b|\bhands? on\b|\bhanded on\b/i, instead: 'passes' },
]
