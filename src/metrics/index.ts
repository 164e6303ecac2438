/**
 * Scores of predictions: accuracy, F1, BLEU, chrF, ROUGE, exact match and retrieval.
 * @module
 */

export { type BleuOptions, bleu, bleuMetric, tokenize13a } from './bleu.ts'
export { type BootstrapOptions, type BootstrapResult, pairedBootstrap } from './bootstrap.ts'
export { type ChrfOptions, chrf, chrfMetric } from './chrf.ts'
export { accuracy, type Confusion, confusionMatrix } from './confusion.ts'
export { type F1Report, f1FromConfusion, f1FromSets, type PrecisionRecall } from './f1.ts'
export { type MeanInterval, meanInterval } from './mean-interval.ts'
export { meanReciprocalRank, rankOf, recallAt } from './retrieval.ts'
export { type Rouge, type RougeScore, rouge, rougeOf } from './rouge.ts'
export { type Entity, entitiesOf, entityF1 } from './seqeval.ts'
export { exactMatch, squadF1 } from './squad.ts'
export { corpusScore, type References, type TextMetric } from './text-metric.ts'
