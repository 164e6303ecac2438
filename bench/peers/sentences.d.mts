export function novelSentences(count: number): string[]
