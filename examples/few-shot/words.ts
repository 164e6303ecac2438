// Questions with answers of one word.

/** Pairs of a question and its answer; five are examples, the others are asked. */
export const TASKS: Record<string, { about: string; pairs: string }> = {
  capitals: {
    about: 'Country and its capital.',
    pairs: `France Paris, Japan Tokyo, Egypt Cairo, Peru Lima, Norway Oslo, Spain Madrid, Italy Rome,
      Germany Berlin, Russia Moscow, China Beijing, Canada Ottawa, Greece Athens, Cuba Havana,
      Kenya Nairobi, Poland Warsaw, Portugal Lisbon, Ireland Dublin, Austria Vienna, Hungary Budapest,
      Thailand Bangkok, Vietnam Hanoi, Iran Tehran, Iraq Baghdad, Sweden Stockholm, Finland Helsinki,
      Denmark Copenhagen, Belgium Brussels, Chile Santiago, Turkey Ankara, Syria Damascus`,
  },
  plurals: {
    about: 'Noun and its plural.',
    pairs: `cat cats, box boxes, child children, city cities, leaf leaves, dog dogs, man men,
      woman women, foot feet, tooth teeth, mouse mice, goose geese, knife knives, wife wives,
      wolf wolves, baby babies, story stories, bus buses, dish dishes, church churches, hero heroes,
      potato potatoes, person people, house houses, book books, lady ladies, half halves, watch watches,
      apple apples, fox foxes`,
  },
  opposites: {
    about: 'Word and its opposite.',
    pairs: `hot cold, big small, day night, up down, happy sad, open closed, black white, good bad,
      old young, fast slow, rich poor, hard soft, light dark, left right, early late, strong weak,
      high low, full empty, wet dry, true false, love hate, life death, war peace, north south,
      east west, first last, start end, win lose, buy sell, push pull`,
  },
}

/** The questions of a task, each with its answer. */
export const questionsOf = (pairs: string): { prompt: string; answer: string }[] =>
  pairs
    .split(',')
    .map((pair) => pair.trim().split(' '))
    .map(([question, answer]) => ({ prompt: `${question} ->`, answer }))
