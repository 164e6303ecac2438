// Reviews of foods (McAuley and Leskovec, 2013), great or not, as the R package modeldata has them; or
// some made up on the spot.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fetchDebianPackages } from '../debian.ts'
import { readDataFrame } from './r-data.ts'

export interface Review {
  text: string
  label: 'great' | 'other'
}

export interface Parts {
  train: Review[]
  test: Review[]
}

const PACKAGE = 'r-cran-modeldata'
const FILES = 'usr/lib/R/site-library/modeldata/data/Rdata'

/** 4,000 and 1,000. Fetched from Debian into `folder`, once. @throws Error that says what to do where that cannot be */
export function reviews(folder: string): Parts {
  const base = join(folder, FILES)
  if (!existsSync(`${base}.rdb`)) fetchDebianPackages(folder, [PACKAGE])
  return { train: open(base, 'training_data'), test: open(base, 'testing_data') }
}

function open(base: string, name: string): Review[] {
  const { review, score } = readDataFrame(base, name)
  return review.map((text, i) => ({
    text: String(text).replace(/<br \/>/g, ' '),
    label: score[i] as Review['label'],
  }))
}

/** For a run of seconds. */
export function toyReviews(): Parts {
  const foods = ['soup', 'bread', 'cheese', 'tea', 'jam', 'rice', 'salt', 'fish', 'oil', 'corn']
  const words = { great: ['i love this', 'best of all'], other: ['it is stale', 'no taste'] }
  const all = foods.flatMap((food) =>
    Object.entries(words).flatMap(([label, list]) =>
      list.map((text) => ({ text: `${food}: ${text}`, label: label as Review['label'] })),
    ),
  )
  return { train: all.slice(8), test: all.slice(0, 8) }
}
