export function sourceTokens(text: string): string
