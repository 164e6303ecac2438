export { DraftModel, type DraftModelOptions } from './draft-model.ts'
export { type Draft, Drafter, type DraftRules } from './drafter.ts'
export { PromptLookup, type PromptLookupOptions } from './prompt-lookup.ts'
